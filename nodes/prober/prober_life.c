/* How long a mapping lives in silence (RFC 5780 §4.6): MAIN is mapped and falls silent; then SECOND asks the server to
 * answer to MAIN's public port (RESPONSE-PORT). What arrives tells that the mapping is still there.
 *
 * The silence is doubled until the mapping does not survive it; then the two bounds are brought together by halves.
 * MAIN's last packet passes the NAT a moment after it was sent, and the server's comes there a round trip later than
 * the silence lasted: a mapping of 30 s has gone after 30 s of silence and is there after 29 s, as long as the round
 * trip stays below the resolution. */
#include "nodes/prober/prober.h"

enum { FIRST_TRIAL = 16 }; /* times the resolution */

static void use_main(struct prober *p, enum prober_step step)
{
    struct endpoint server = p->settings->server;
    struct prober_question question = {.by = PROBER_MAIN, .at = PROBER_MAIN, .to = server, .expected = server};
    p->step = step;
    prober_ask(p, &question);
}

static void fall_silent(struct prober *p)
{
    p->step = PROBER_LIFE_SILENT;
    host_timer_start(p->host, &p->silence, p->query.last_sent + p->search.trial);
}

void prober_life_silent(void *arg)
{
    struct prober *p = arg;
    struct endpoint server = p->settings->server;
    struct prober_question question = {
        .by = PROBER_SECOND, .at = PROBER_MAIN, .to = server, .expected = server, .response_port = p->main_now.port};
    p->step = PROBER_LIFE_ASKED;
    prober_ask(p, &question);
}

/* The next silence to try; 0: the search is over. */
static lab_time next_trial(const struct prober *p)
{
    const struct prober_search *s = &p->search;
    lab_time step = p->settings->resolution;
    lab_time limit = p->settings->lifetime_limit;
    if (s->dead == 0) {
        lab_time doubled = s->alive ? 2 * s->alive : FIRST_TRIAL * step;
        return s->alive >= limit ? 0 : doubled < limit ? doubled : limit;
    }
    lab_time half = (s->dead - s->alive) / 2 / step * step;
    return half > 0 ? s->alive + half : 0;
}

static void search_on(struct prober *p)
{
    p->search.trial = next_trial(p);
    if (p->search.trial > 0) {
        use_main(p, PROBER_LIFE_MAPPED);
        return;
    }
    p->found.lifetime = p->search.dead;
    p->found.lifetime_over = p->search.dead ? 0 : p->search.alive;
    prober_tests_done(p);
}

static void tried(struct prober *p, bool alive)
{
    prober_trace_trial(p, alive);
    if (alive)
        p->search.alive = p->search.trial;
    else
        p->search.dead = p->search.trial;
    search_on(p);
}

void prober_life_begin(struct prober *p)
{
    p->search = (struct prober_search){0};
    search_on(p);
}

void prober_life_heard(struct prober *p, enum prober_result result, const struct stun_msg *answer)
{
    if (p->step == PROBER_LIFE_ASKED && result != PROBER_REFUSED) {
        tried(p, result == PROBER_ANSWERED);
    } else if (result != PROBER_ANSWERED) {
        prober_tests_done(p); /* the server cannot, or has gone: the lifetime stays unknown */
    } else if (p->step == PROBER_LIFE_MAPPED) {
        use_main(p, PROBER_LIFE_ANSWERED);
    } else {
        p->main_now = stun_public(answer);
        fall_silent(p);
    }
}
