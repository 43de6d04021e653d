/* What a lab file may say of a wire: the fields that networks, attachments and the step `set` share. */
#ifndef FAREND_LAB_LINK_H
#define FAREND_LAB_LINK_H

#include "sim/engine/plan.h"
#include "sim/lab/form.h"

struct link {
    lab_time delay, jitter;
    bool reorder;
    uint32_t loss;
    uint64_t rate;
    uint32_t queue;
};

/* The first fields of a form whose struct has a `struct link` named `member`; form_read's bits LINK_BITS are theirs. */
#define LINK_FIELDS(type, member)                                                                                      \
    {"delay", FIELD_TIME, offsetof(type, member.delay), .help = "time that a packet takes"},                           \
        {"jitter", FIELD_TIME, offsetof(type, member.jitter), .help = "added to the delay: uniform, 0 to this"},       \
        {"reorder", FIELD_FLAG, offsetof(type, member.reorder), .help = "jitter may let packets overtake"},            \
        {"loss", FIELD_RATIO, offsetof(type, member.loss), .help = "share of the packets that is lost"},               \
        {"rate", FIELD_RATE, offsetof(type, member.rate), .help = "bits a second; without it infinitely fast"},        \
    {                                                                                                                  \
        "queue", FIELD_SIZE, offsetof(type, member.queue), .min = 64, .help = "bytes that wait for the rate"           \
    }

enum { LINK_BITS = 0x3f };

/* Writes the fields that were given (form_read's bits) into a wire's spec. */
void link_apply(const struct link *link, uint32_t given, struct wire_spec *spec);

#endif
