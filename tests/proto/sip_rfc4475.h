/* What the tests of RFC 4475 share: a message, what parser and check say of it, and the RFC's session description. */
#ifndef FAREND_TESTS_PROTO_SIP_RFC4475_H
#define FAREND_TESTS_PROTO_SIP_RFC4475_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nodes/proto/sip_check.h"
#include "nodes/proto/sip_edit.h"

/* The description of most messages; address and time are what varies. */
#define SDP_BODY(addr, time)                                                                                           \
    "v=0\r\n"                                                                                                          \
    "o=mhandley 29739 7272939 IN IP4 " addr "\r\n"                                                                     \
    "s=-\r\n"                                                                                                          \
    "c=IN IP4 " addr "\r\n"                                                                                            \
    "t=" time "\r\n"                                                                                                   \
    "m=audio 49217 RTP/AVP 0 12\r\n"                                                                                   \
    "m=video 3227 RTP/AVP 31\r\n"                                                                                      \
    "a=rtpmap:31 LPC\r\n"

struct judged {
    struct sip_msg m;
    struct sip_core core;
    struct sip_problem why;
    int parsed;  /* what sip_parse() returned */
    int checked; /* what sip_check() returned; FE_ESYNTAX when it was not asked */
};

static inline void judge(struct judged *j, struct span message)
{
    j->checked = FE_ESYNTAX;
    j->parsed = sip_parse(message, &j->m, &j->why);
    if (j->parsed == 0)
        j->checked = sip_check(&j->m, &j->core, &j->why);
}

/* A copy without edits is the message itself. */
static inline void assert_copied_exactly(const struct sip_msg *m)
{
    static char copy[8192];
    struct sip_edit edit;
    struct text t = text_on(copy, sizeof copy);
    sip_edit_begin(&edit, m);
    assert_int_equal(sip_edit_write(&edit, &t), 0);
    assert_int_equal(t.n, m->bytes.n);
    assert_memory_equal(copy, m->bytes.p, t.n);
}

static inline void assert_valid(struct judged *j, struct span message)
{
    judge(j, message);
    assert_string_equal(sip_fault_text(j->why.fault), sip_fault_text(SIP_FINE));
    assert_int_equal(j->parsed, 0);
    assert_int_equal(j->checked, 0);
    assert_copied_exactly(&j->m);
}

/* Refused by the parser or by the check, with this answer (0: dropped). */
static inline void assert_refused(struct judged *j, struct span message, enum sip_fault fault, unsigned status)
{
    judge(j, message);
    assert_string_equal(sip_fault_text(j->why.fault), sip_fault_text(fault));
    assert_int_equal(j->why.status, status);
    assert_true(j->parsed != 0 || j->checked != 0);
    assert_true(j->why.offset <= message.n);
}

#define assert_span_equal(span, text) assert_true(span_is((span), (text)))

#endif
