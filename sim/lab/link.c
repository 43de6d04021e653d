#include "sim/lab/link.h"

#include "nodes/base/error.h"
#include "sim/engine/profile.h"
#include "sim/lab/lab_read.h"

#include <stdlib.h>

enum {
    LINK_DELAY = 1,
    LINK_JITTER = 1 << 1,
    LINK_REORDER = 1 << 2,
    LINK_LOSS = 1 << 3,
    LINK_RATE = 1 << 4,
    LINK_QUEUE = 1 << 5,
    LINK_BURST_BEGINS = 1 << 6,
    LINK_BURST_ENDS = 1 << 7,
    LINK_BURST_LOSS = 1 << 8,
    LINK_DUPLICATE = 1 << 9,
    LINK_CORRUPT = 1 << 10,
    LINK_ICMP = 1 << 11,
    LINK_DSCP = 1 << 12,
    LINK_TTL = 1 << 13,
    LINK_PROFILE = 1 << 14,
    LINK_PROFILE_END = 1 << 15,
    LINK_PATH_MTU = 1 << 16,
};

const char *const link_dscp_words[] = {"keep", "clear", NULL};
const char *const link_profile_words[] = {"hold", "loop", NULL};
const struct field link_form[] = {LINK_FIELDS(struct link_way, link), {0}};

/* ---- profiles ---- */

static bool profile_wrong(struct lab *lab, const struct doc *name, unsigned line, const char *why)
{
    char number[24];
    struct text t = text_on(number, sizeof number);
    text_u64(&t, line);
    problem(&lab->problems, name->at, "profile: ", name->text, line ? ":" : "", line ? number : "", ": ", why);
    return false;
}

static bool profile_text_read(struct lab *lab, const struct doc *name, struct span text, struct profile *profile)
{
    size_t cap = profile_lines(text);
    unsigned line;
    const char *why;
    struct profile_row *rows = arena_new(&lab->arena, (cap < PROFILE_ROWS ? cap : PROFILE_ROWS) * sizeof *rows);
    if (!rows)
        return profile_wrong(lab, name, 0, "out of memory");
    profile->rows = rows;
    profile->n = profile_parse(text, rows, cap < PROFILE_ROWS ? cap : PROFILE_ROWS, &line, &why);
    if (profile->n == 0)
        return profile_wrong(lab, name, line, why);
    if (profile->loop && profile->n < 2)
        return profile_wrong(lab, name, line, "to loop it needs a second line, whose time ends the round");
    return true;
}

static bool profile_read(struct lab *lab, struct link *link)
{
    const struct doc *name = link->profile_text;
    struct span text = {0};
    if (strcmp(name->text, "none") == 0)
        return true;
    struct profile *profile = arena_new(&lab->arena, sizeof *profile);
    int error = profile ? lab_file_beside(lab, name->text, NULL, &text) : FE_EMEM;
    if (error == FE_EREFUSED) {
        problem(&lab->problems, name->at, "profile: \"", name->text, "\" is no file beside the lab's");
        return false;
    }
    if (error)
        return profile_wrong(lab, name, 0, error == FE_EOS ? "cannot be read" : "out of memory");
    profile->name = name->text;
    profile->loop = link->profile_end == 1;
    link->profile = profile;
    return profile_text_read(lab, name, text, profile);
}

/* ---- checks ---- */

/* "64": set; "-5": lowered; "0": left alone. */
static bool ttl_read(struct lab *lab, struct link *link)
{
    struct span s = span_of(link->ttl_text->text);
    bool lowered = s.n && s.p[0] == '-';
    uint64_t ttl;
    if (span_u64(lowered ? (struct span){s.p + 1, s.n - 1} : s, 255, &ttl)) {
        problem(&lab->problems, link->ttl_text->at, "ttl: \"", link->ttl_text->text,
                "\" is neither a TTL up to 255 nor, as -5, what it is lowered by");
        return false;
    }
    link->ttl = (int16_t)(lowered ? -(int)ttl : (int)ttl);
    return true;
}

bool link_check(struct lab *lab, struct link *link, uint32_t *given)
{
    if (*given & FORM_BAD)
        return false;
    if ((*given & LINK_TTL) && !ttl_read(lab, link))
        return false;
    if ((*given & LINK_PROFILE) && !profile_read(lab, link))
        return false;
    if ((*given & LINK_BURST_BEGINS) && !(*given & LINK_BURST_LOSS)) {
        link->burst_loss = 1000000;
        *given |= LINK_BURST_LOSS;
    }
    return true;
}

bool link_way_read(struct lab *lab, struct link_way *way)
{
    struct form_reader reader = lab_reader(lab);
    if (!way->doc)
        return true;
    way->given = form_read(&reader, way->doc, link_form, way);
    return link_check(lab, &way->link, &way->given);
}

/* ---- into a spec ---- */

static void apply_special(const struct link *link, uint32_t given, struct wire_spec *spec)
{
    if (given & LINK_BURST_BEGINS)
        spec->burst_begins = link->burst_begins;
    if (given & LINK_BURST_ENDS)
        spec->burst_ends = link->burst_ends;
    if (given & LINK_BURST_LOSS)
        spec->burst_loss = link->burst_loss;
    if (given & LINK_DUPLICATE)
        spec->duplicate = link->duplicate;
    if (given & LINK_CORRUPT)
        spec->corrupt = link->corrupt;
    if (given & LINK_ICMP)
        spec->icmp_off = !link->icmp;
    if (given & LINK_PATH_MTU)
        spec->path_mtu = (uint16_t)link->path_mtu;
    if (given & LINK_DSCP)
        spec->dscp_clear = link->dscp == 1;
    if (given & LINK_TTL)
        spec->ttl = link->ttl;
    if (given & LINK_PROFILE)
        spec->profile = link->profile;
}

void link_apply(const struct link *link, uint32_t given, struct wire_spec *spec)
{
    if (given & LINK_DELAY)
        spec->delay = link->delay;
    if (given & LINK_JITTER)
        spec->jitter = link->jitter;
    if (given & LINK_REORDER)
        spec->reorder = link->reorder;
    if (given & LINK_LOSS)
        spec->loss = link->loss;
    if (given & LINK_RATE)
        spec->rate = link->rate;
    if (given & LINK_QUEUE)
        spec->queue = link->queue;
    apply_special(link, given, spec);
}
