/* What a lab file may say of a wire: the fields that networks, attachments and the step `set` share. */
#ifndef FAREND_LAB_LINK_H
#define FAREND_LAB_LINK_H

#include "sim/engine/plan.h"
#include "sim/lab/form.h"

struct lab;

struct link {
    lab_time delay, jitter;
    bool reorder;
    uint32_t loss;
    uint64_t rate;
    uint32_t queue;
    uint32_t burst_begins, burst_ends, burst_loss; /* ppm */
    uint32_t duplicate, corrupt;                   /* ppm */
    bool icmp;
    uint32_t path_mtu; /* bytes */
    int dscp;          /* index into link_dscp_words */
    const struct doc *ttl_text, *profile_text;
    int16_t ttl;                   /* as wire_spec.ttl; link_check reads it */
    int profile_end;               /* index into link_profile_words */
    const struct profile *profile; /* link_check reads it */
};

/* `up` and `down` of a network or an attachment: what differs on the way into the network, and out of it. */
struct link_way {
    const struct doc *doc;
    struct link link;
    uint32_t given;
};

extern const char *const link_dscp_words[];    /* keep, clear */
extern const char *const link_profile_words[]; /* hold, loop */

/* The first fields of a form whose struct has a `struct link` named `member`; form_read's bits LINK_BITS are theirs. */
#define LINK_FIELDS(type, member)                                                                                      \
    {"delay", FIELD_TIME, offsetof(type, member.delay), .help = "time that a packet takes"},                           \
        {"jitter", FIELD_TIME, offsetof(type, member.jitter), .help = "added to the delay: uniform, 0 to this"},       \
        {"reorder", FIELD_FLAG, offsetof(type, member.reorder), .help = "jitter may let packets overtake"},            \
        {"loss", FIELD_RATIO, offsetof(type, member.loss), .help = "share of the packets that is lost"},               \
        {"rate", FIELD_RATE, offsetof(type, member.rate), .help = "bits a second; without it infinitely fast"},        \
        {"queue", FIELD_SIZE, offsetof(type, member.queue), .min = 64, .help = "bytes that wait for the rate"},        \
        {"burst begins", FIELD_RATIO, offsetof(type, member.burst_begins),                                             \
         .help = "chance at each packet that a burst of loss begins (Gilbert-Elliott)"},                               \
        {"burst ends", FIELD_RATIO, offsetof(type, member.burst_ends), .help = "chance at each packet that it ends"},  \
        {"burst loss", FIELD_RATIO, offsetof(type, member.burst_loss),                                                 \
         .help = "share that is lost during a burst; 100% unless said"},                                               \
        {"duplicate", FIELD_RATIO, offsetof(type, member.duplicate), .help = "share of the packets that comes twice"}, \
        {"corrupt", FIELD_RATIO, offsetof(type, member.corrupt),                                                       \
         .help = "share of the packets of whose payload a byte is changed"},                                           \
        {"icmp", FIELD_FLAG, offsetof(type, member.icmp),                                                              \
         .help = "off: no ICMP passes; with a small MTU a black hole"},                                                \
        {"dscp", FIELD_CHOICE, offsetof(type, member.dscp), .choices = link_dscp_words,                                \
         .help = "clear: packets lose their marking"},                                                                 \
        {"ttl", FIELD_NAME, offsetof(type, member.ttl_text),                                                           \
         .help = "-5: lowered by so many; 64: set; 0: left alone"},                                                    \
        {"profile", FIELD_NAME, offsetof(type, member.profile_text),                                                   \
         .help = "file of lines time,delay,loss beside the lab's, in place of delay and loss; none"},                  \
        {"profile end", FIELD_CHOICE, offsetof(type, member.profile_end), .choices = link_profile_words,               \
         .help = "hold: the last line stays; loop: it begins again"},                                                  \
    {                                                                                                                  \
        "path mtu", FIELD_SIZE, offsetof(type, member.path_mtu),                                                       \
            .max = 65535,                                                                                              \
            .help = "larger packets vanish inside, and nobody is told: a tunnel, a black hole; 0B: they do not"        \
    }

enum { LINK_BITS = 0x1ffff };

extern const struct field link_form[]; /* `up`, `down`: into a struct link_way */

/* Once its fields were read: reads what they name. Fields that the checks add are in *given. False after a problem. */
bool link_check(struct lab *lab, struct link *link, uint32_t *given);
bool link_way_read(struct lab *lab, struct link_way *way);

/* Writes the fields that were given (form_read's bits) into a wire's spec. */
void link_apply(const struct link *link, uint32_t given, struct wire_spec *spec);

#endif
