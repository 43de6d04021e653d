/* What can go wrong, as values: functions return 0 or one of these, and never print.
 * Malformed input is a result like any other; assert() is kept for farend's own bugs. */
#ifndef FAREND_BASE_ERROR_H
#define FAREND_BASE_ERROR_H

enum fe_error {
    FE_OK = 0,
    FE_EMEM = -1,       /* memory is exhausted */
    FE_ESYNTAX = -2,    /* the bytes are not what the grammar says */
    FE_ERANGE = -3,     /* understood, but out of the permitted range, or too large for its place */
    FE_ESHORT = -4,     /* the input ends too early */
    FE_EUNKNOWN = -5,   /* a name that nobody declared */
    FE_EUSED = -6,      /* the address, port or name is taken */
    FE_EAGAIN = -7,     /* not now: nothing there, or no room */
    FE_EUNREACH = -8,   /* no route */
    FE_EREFUSED = -9,   /* the peer or the policy said no */
    FE_EOS = -10,       /* the operating system refused; errno says why */
    FE_ERESET = -11,    /* the peer reset the connection */
    FE_ETIMEDOUT = -12, /* the peer was not heard of for too long */
};

/* "out of memory", "syntax error", …; never NULL. Static storage. */
const char *fe_error_text(int error);

#endif
