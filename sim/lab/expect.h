/* Expectations: what a lab says of the trace. Five kinds of statement:
 *     alice registered                                     what a phone is now
 *     {media: bob -> alice, heard: 99%, mos: 4.3}          how a call sounded, or went
 *     {outage: alice, recovered: 60s, calls lost: 1}       what the last fault cost a phone
 *     {storm: sbc, peak: 120, back: 2min}                  what came upon a node after it
 *     {drops: {cause: no-mapping, at: router, at least: 1}} how many events there were, since the last action of the
 * steps */
#ifndef FAREND_LAB_EXPECT_H
#define FAREND_LAB_EXPECT_H

#include "sim/lab/facts.h"
#include "sim/lab/lab.h"

enum expect_type {
    EXPECT_PHONE,  /* `phone` is the state of node */
    EXPECT_CALL,   /* the latest call from node to `peer` */
    EXPECT_MEDIA,  /* node hears other */
    EXPECT_COUNT,  /* events that match */
    EXPECT_OUTAGE, /* what the last fault cost a phone */
    EXPECT_STORM,  /* what came upon a node after it */
};

enum phone_word { PHONE_IS_REGISTERED, PHONE_IS_RINGING, PHONE_IS_IN_CALL, PHONE_IS_IDLE };

struct expect_match {
    const char *key, *value;
    bool part; /* the key's value shall contain `value`, which is escaped as in the trace */
};

enum { MATCHES_MAX = 10 };

struct expectation {
    enum expect_type type;
    struct place at;
    const char *text;
    unsigned index; /* in lab.expectations */
    unsigned node, other;
    bool negated; /* PHONE: "not" */
    enum phone_word phone;
    const char *peer;                       /* CALL, MEDIA: the other line */
    int state;                              /* CALL: enum call_state */
    uint32_t status;                        /* CALL: 0: any */
    uint32_t heard_least, heard_most;       /* MEDIA, ppm */
    uint32_t mos_least, mos_most;           /* MEDIA, hundredths */
    struct expect_match match[MATCHES_MAX]; /* COUNT: all of them */
    size_t match_n;
    uint32_t least, most;               /* COUNT */
    const struct expect_outage *outage; /* OUTAGE */
    const struct expect_storm *storm;   /* STORM */
    bool since_start;                   /* COUNT: of the whole run so far */
    lab_time within;                    /* holds at some moment up to then; 0: at once */
    lab_time never;                     /* holds at no moment up to then; 0: not so meant */
};

/* Reads a statement: a text or a mapping. `timed`: it may say within, never within. NULL after a problem. */
struct expectation *expect_read(struct lab *lab, const struct doc *d, bool timed);

/* A text as the trace writes it, in the lab's arena; NULL for NULL or without memory. */
const char *expect_escaped(struct lab *lab, const char *text);

/* COUNT: does the line count? */
bool expect_matches(const struct expectation *e, struct span line);

/* Does it hold, with `count` matching lines seen? `why` receives what was found, one phrase, either way. */
bool expect_holds(const struct expectation *e, const struct facts *facts, uint32_t count, struct text *why);

/* ---- the tables, for the schema ---- */

enum event_value {
    EVENT_NODE,
    EVENT_WIRE,
    EVENT_TEXT,
    EVENT_WORDS,
    EVENT_PART,
    EVENT_SECONDS, /* a time with its unit; in the trace a number of seconds */
};

/* A word inside {drops: {…}} and the key of the trace that it is compared with. */
struct event_key {
    const char *word, *key;
    enum event_value value;
    const char *const *words;          /* EVENT_WORDS */
    const char *also_key, *also_value; /* compared as well: "sent by" is also dir out */
    const char *help;
};

struct event_word {
    const char *word, *ev, *help;
    struct event_key keys[8];
};

extern const struct event_word expect_events[]; /* ends with word NULL */
extern const struct field expect_count_form[];  /* times, at least, at most, since */
extern const struct field expect_call_form[];
extern const struct field expect_media_form[];
extern const struct field expect_time_form[]; /* that, within, never within */
extern const char *const expect_phone_words[];

#endif
