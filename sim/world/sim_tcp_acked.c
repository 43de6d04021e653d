/* What an acknowledgement does: RFC 9293 §3.10.7.4 (fifth, check the ACK field); Linux: tcp_ack(). */
#include "sim/world/sim_tcp.h"

/* A segment may be old: then its window is no news. */
static bool update_window(struct sim_tcp *t, const struct tcp_view *s, bool advanced)
{
    bool newer = advanced || tcp_before(t->wl1, s->seq) || (s->seq == t->wl1 && (s->window > t->wnd || !s->window));
    if (!newer)
        return false;
    t->wl1 = s->seq;
    t->wnd = s->window;
    if (t->wnd > t->most_wnd) {
        t->most_wnd = t->wnd;
        sim_tcp_measure(t);
    }
    return true;
}

static void react(struct sim_tcp *t, const struct sim_tcp_covered *covered, bool advanced, bool changed)
{
    struct packet *first = t->sent.first;
    const struct sim_reno_ack ack = {.advanced = advanced,
                                     .changed = changed || covered->segments,
                                     .segments = covered->segments,
                                     .lost = covered->lost,
                                     .resent = covered->resent,
                                     .una = t->una,
                                     .nxt = t->nxt,
                                     .any = first != NULL,
                                     .first_lost = first && sim_segment(first)->lost,
                                     .first_resent = first && sim_segment(first)->resent};
    const struct sim_reno_verdict verdict = sim_reno_acked(&t->reno, &ack);
    if (verdict.mark_first)
        sim_tcp_mark_first(t);
    if (verdict.resend)
        sim_tcp_resend(t);
}

enum sim_tcp_ack_result sim_tcp_acknowledged(struct sim_tcp *t, const struct tcp_view *s)
{
    bool advanced = tcp_before(t->una, s->ack);
    bool outstanding = t->sent.first != NULL;
    struct sim_tcp_covered covered;
    if (tcp_before(s->ack, t->una))
        return tcp_before(s->ack, t->una - t->most_wnd) ? SIM_TCP_ACK_ANCIENT : SIM_TCP_ACK_OLD;
    if (tcp_before(t->nxt, s->ack))
        return SIM_TCP_ACK_UNSENT;
    bool changed = update_window(t, s, advanced) || tcp_length(s);
    t->una = s->ack;
    sim_tcp_timer_heard(t);
    if (!outstanding)
        return SIM_TCP_ACK_GOOD;
    sim_tcp_drop_acked(t, &covered);
    if (advanced)
        sim_tcp_timer_advanced(t, &covered);
    react(t, &covered, advanced, changed);
    return SIM_TCP_ACK_GOOD;
}
