/* The tests of RFC 5780 §4 in their order: each step asks a question, and what is heard decides the next step. What the
 * server cannot do leaves its finding unknown; only a server that never answers ends the probe. */
#include "nodes/prober/prober.h"

static void enter(struct prober *p, enum prober_step step);

/* ---- questions ---- */

static void ask(struct prober *p, enum prober_socket_name by, struct endpoint to)
{
    struct prober_question question = {.by = by, .at = by, .to = to, .expected = to};
    prober_ask(p, &question);
}

static void ask_from_elsewhere(struct prober *p, struct endpoint expected, uint32_t change)
{
    struct prober_question question = {
        .by = PROBER_FRESH, .at = PROBER_FRESH, .to = p->settings->server, .expected = expected, .change = change};
    prober_ask(p, &question);
}

/* §3.4 with both sides asking: a NAT that filters lets a hairpinned packet in only where one went out before. */
static void ask_each_other(struct prober *p)
{
    struct prober_question question = {.to = p->second_now, .expected = p->main_now, .crossed = true};
    prober_ask(p, &question);
}

static void enter(struct prober *p, enum prober_step step)
{
    struct endpoint server = p->settings->server;
    p->step = step;
    switch (step) {
    case PROBER_IDLE: break;
    case PROBER_MAPPING_1:
    case PROBER_HAIRPIN_MAIN: ask(p, PROBER_MAIN, server); break;
    case PROBER_MAPPING_2: ask(p, PROBER_MAIN, (struct endpoint){p->other.addr, server.port}); break;
    case PROBER_MAPPING_3: ask(p, PROBER_MAIN, p->other); break;
    case PROBER_FILTERING_1: ask(p, PROBER_FRESH, server); break;
    case PROBER_FILTERING_2: ask_from_elsewhere(p, p->other, STUN_CHANGE_ADDR | STUN_CHANGE_PORT); break;
    case PROBER_FILTERING_3:
        ask_from_elsewhere(p, (struct endpoint){server.addr, p->other.port}, STUN_CHANGE_PORT);
        break;
    case PROBER_HAIRPIN_SECOND: ask(p, PROBER_SECOND, server); break;
    case PROBER_HAIRPIN: ask_each_other(p); break;
    case PROBER_LIFE_MAPPED:
    case PROBER_LIFE_ANSWERED:
    case PROBER_LIFE_SILENT:
    case PROBER_LIFE_ASKED: prober_life_begin(p); break;
    }
}

/* ---- answers ---- */

/* A public port that differs from the socket's own is seen wherever a socket is mapped. */
static void note_port(struct prober *p, enum prober_socket_name by, struct endpoint mapped)
{
    if (mapped.port != host_udp_local(p->sockets[by].udp).port)
        p->found.moves_ports = true;
}

static void first_mapping(struct prober *p, const struct stun_msg *answer)
{
    struct prober_findings *f = &p->found;
    f->local = host_udp_local(p->sockets[PROBER_MAIN].udp);
    f->mapped = stun_public(answer);
    f->translated = !endpoint_equal(f->local, f->mapped);
    f->alg = answer->mapped.port && answer->xor_mapped.port && !endpoint_equal(answer->mapped, answer->xor_mapped);
    note_port(p, PROBER_MAIN, f->mapped);
    p->other = answer->other;
    if (p->other.addr == p->settings->server.addr || p->other.port == p->settings->server.port)
        p->other = (struct endpoint){0}; /* no other address at all */
    if (!f->translated)
        f->mapping = PROBER_ENDPOINT_INDEPENDENT; /* §4.3 */
    enter(p, p->other.port == 0 ? PROBER_HAIRPIN_MAIN : f->translated ? PROBER_MAPPING_2 : PROBER_FILTERING_1);
}

static void second_mapping(struct prober *p, const struct stun_msg *answer)
{
    p->second_mapping = stun_public(answer);
    if (!endpoint_equal(p->second_mapping, p->found.mapped)) {
        enter(p, PROBER_MAPPING_3);
        return;
    }
    p->found.mapping = PROBER_ENDPOINT_INDEPENDENT;
    enter(p, PROBER_FILTERING_1);
}

static void third_mapping(struct prober *p, const struct stun_msg *answer)
{
    bool same = endpoint_equal(stun_public(answer), p->second_mapping);
    p->found.mapping = same ? PROBER_ADDRESS_DEPENDENT : PROBER_ADDRESS_AND_PORT_DEPENDENT;
    enter(p, PROBER_FILTERING_1);
}

static void filter_judged(struct prober *p, enum prober_dependence filtering)
{
    p->found.filtering = filtering;
    enter(p, PROBER_HAIRPIN_MAIN);
}

static void hairpin_judged(struct prober *p, enum prober_answer hairpin)
{
    p->found.hairpin = hairpin;
    if (p->settings->lifetime && p->found.translated)
        enter(p, PROBER_LIFE_MAPPED);
    else
        prober_tests_done(p);
}

static void answered(struct prober *p, const struct stun_msg *answer)
{
    switch (p->step) {
    case PROBER_MAPPING_1: first_mapping(p, answer); break;
    case PROBER_MAPPING_2: second_mapping(p, answer); break;
    case PROBER_MAPPING_3: third_mapping(p, answer); break;
    case PROBER_FILTERING_1:
        note_port(p, PROBER_FRESH, stun_public(answer));
        enter(p, PROBER_FILTERING_2);
        break;
    case PROBER_FILTERING_2: filter_judged(p, PROBER_ENDPOINT_INDEPENDENT); break;
    case PROBER_FILTERING_3: filter_judged(p, PROBER_ADDRESS_DEPENDENT); break;
    case PROBER_HAIRPIN_MAIN:
        p->main_now = stun_public(answer);
        enter(p, PROBER_HAIRPIN_SECOND);
        break;
    case PROBER_HAIRPIN_SECOND:
        p->second_now = stun_public(answer);
        note_port(p, PROBER_SECOND, p->second_now);
        if (p->found.translated)
            enter(p, PROBER_HAIRPIN);
        else
            hairpin_judged(p, PROBER_NOT_TRIED); /* nothing that could turn a packet round */
        break;
    case PROBER_IDLE:
    case PROBER_HAIRPIN:
    case PROBER_LIFE_MAPPED:
    case PROBER_LIFE_ANSWERED:
    case PROBER_LIFE_SILENT:
    case PROBER_LIFE_ASKED: break;
    }
}

/* No answer, or one that says no. Only in the filter tests, and among neighbours, does silence tell anything. */
static void unanswered(struct prober *p, enum prober_result result)
{
    bool silence = result == PROBER_SILENCE;
    switch (p->step) {
    case PROBER_MAPPING_1:
        prober_tests_failed(p, silence ? "the server does not answer" : "the server answers with an error");
        break;
    case PROBER_MAPPING_2:
    case PROBER_MAPPING_3: enter(p, PROBER_FILTERING_1); break;
    case PROBER_FILTERING_1: enter(p, PROBER_HAIRPIN_MAIN); break;
    case PROBER_FILTERING_2:
        if (silence)
            enter(p, PROBER_FILTERING_3);
        else
            filter_judged(p, PROBER_UNKNOWN);
        break;
    case PROBER_FILTERING_3: filter_judged(p, silence ? PROBER_ADDRESS_AND_PORT_DEPENDENT : PROBER_UNKNOWN); break;
    case PROBER_HAIRPIN_MAIN:
    case PROBER_HAIRPIN_SECOND: hairpin_judged(p, PROBER_NOT_TRIED); break;
    case PROBER_HAIRPIN: hairpin_judged(p, PROBER_NO); break;
    case PROBER_IDLE:
    case PROBER_LIFE_MAPPED:
    case PROBER_LIFE_ANSWERED:
    case PROBER_LIFE_SILENT:
    case PROBER_LIFE_ASKED: break;
    }
}

void prober_heard(struct prober *p, enum prober_result result, const struct stun_msg *answer)
{
    if (p->step >= PROBER_LIFE_MAPPED)
        prober_life_heard(p, result, answer);
    else if (result == PROBER_CAME)
        hairpin_judged(p, PROBER_YES);
    else if (result == PROBER_ANSWERED)
        answered(p, answer);
    else
        unanswered(p, result);
}

/* ---- begin and end ---- */

void prober_tests_begin(struct prober *p)
{
    p->found = (struct prober_findings){0};
    p->other = (struct endpoint){0};
    prober_trace_state(p, "started", NULL);
    enter(p, PROBER_MAPPING_1);
}

void prober_tests_done(struct prober *p)
{
    p->step = PROBER_IDLE;
    prober_trace_found(p);
    prober_sockets_close(p);
}

void prober_tests_failed(struct prober *p, const char *reason)
{
    p->step = PROBER_IDLE;
    prober_trace_state(p, "failed", reason);
    prober_sockets_close(p);
}
