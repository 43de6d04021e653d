#include "nodes/base/error.h"

const char *fe_error_text(int error)
{
    switch ((enum fe_error)error) {
    case FE_OK: return "no error";
    case FE_EMEM: return "out of memory";
    case FE_ESYNTAX: return "syntax error";
    case FE_ERANGE: return "out of range";
    case FE_ESHORT: return "ends too early";
    case FE_EUNKNOWN: return "unknown name";
    case FE_EUSED: return "already in use";
    case FE_EAGAIN: return "try again";
    case FE_EUNREACH: return "no route";
    case FE_EREFUSED: return "refused";
    case FE_EOS: return "the operating system refused";
    case FE_ERESET: return "connection reset";
    case FE_ETIMEDOUT: return "timed out";
    }
    return "unknown error";
}
