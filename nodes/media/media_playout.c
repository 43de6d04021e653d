#include "nodes/media/media_playout.h"

#include <assert.h>
#include <string.h>

void media_playout_init(struct media_playout *p, lab_time delay)
{
    assert(delay >= 0 && delay < MEDIA_SLOTS * MEDIA_FRAME);
    *p = (struct media_playout){.delay = delay, .listen_from = NEVER};
}

/* Plays the frame that is due. */
static void play_one(struct media_playout *p)
{
    uint8_t *slot = &p->slots[p->head];
    if (p->next_at >= p->listen_from) {
        bool missing = *slot == MEDIA_NOTHING;
        p->now.played += !missing;
        p->now.gaps += missing && !p->missing;
        p->missing = missing;
        p->now.voice += *slot == MEDIA_VOICE;
    }
    *slot = MEDIA_NOTHING;
    p->head = (p->head + 1) % MEDIA_SLOTS;
    p->next_stamp += MEDIA_FRAME_TICKS;
    p->next_at += MEDIA_FRAME;
}

/* Plays what was due before `now`. After one turn of the ring every slot is empty: the rest of a pause is skipped. */
static void play(struct media_playout *p, lab_time now)
{
    if (!p->started)
        return;
    for (unsigned i = 0; i < MEDIA_SLOTS && p->next_at < now; i++)
        play_one(p);
    if (p->next_at < now) {
        lab_time frames = (now - p->next_at + MEDIA_FRAME - 1) / MEDIA_FRAME;
        p->next_stamp += (uint32_t)(MEDIA_FRAME_TICKS * frames);
        p->next_at += MEDIA_FRAME * frames;
    }
}

void media_playout_reset(struct media_playout *p, lab_time now)
{
    play(p, now);
    memset(p->slots, MEDIA_NOTHING, sizeof p->slots);
    p->started = false;
}

static void stream_begin(struct media_playout *p, uint32_t stamp, lab_time now)
{
    media_playout_reset(p, now);
    p->next_stamp = stamp;
    p->next_at = now + p->delay;
    p->started = true;
}

enum media_fate media_playout_put(struct media_playout *p, uint32_t stamp, enum media_voice voice, lab_time now)
{
    play(p, now);
    int32_t ahead = (int32_t)(stamp - p->next_stamp);
    if (!p->started || ahead >= MEDIA_SLOTS * MEDIA_FRAME_TICKS) {
        stream_begin(p, stamp, now);
        ahead = 0;
    }
    if (ahead < 0)
        return MEDIA_LATE;
    uint8_t *slot = &p->slots[(p->head + (unsigned)ahead / MEDIA_FRAME_TICKS) % MEDIA_SLOTS];
    if (*slot != MEDIA_NOTHING)
        return MEDIA_REPEATED;
    *slot = (uint8_t)voice;
    return MEDIA_QUEUED;
}

/* The counts of the present time of listening. One frame more than time has passed can have been played: it is cut. */
static struct media_heard heard_now(const struct media_playout *p, lab_time now)
{
    struct media_heard h = p->now;
    h.due = p->listen_from < now ? (uint64_t)((now - p->listen_from) / MEDIA_FRAME) : 0;
    h.played = h.played < h.due ? h.played : h.due;
    h.voice = h.voice < h.due ? h.voice : h.due;
    return h;
}

static void heard_add(struct media_heard *sum, struct media_heard h)
{
    sum->due += h.due;
    sum->played += h.played;
    sum->voice += h.voice;
    sum->gaps += h.gaps;
}

void media_playout_listen(struct media_playout *p, lab_time from, lab_time now)
{
    play(p, now);
    heard_add(&p->before, heard_now(p, now));
    p->now = (struct media_heard){0};
    p->listen_from = from;
    p->missing = false;
}

void media_playout_heard(struct media_playout *p, lab_time now, struct media_heard *out)
{
    play(p, now);
    *out = p->before;
    heard_add(out, heard_now(p, now));
}
