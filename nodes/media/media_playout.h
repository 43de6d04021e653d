/* The playout buffer of a receiver: a fixed delay after the first packet of a stream, then one frame every 20 ms.
 * A frame that comes after its turn is late and not heard. It also keeps account of what was heard while somebody was
 * listening: of the frames that should have been, how many were played, and how many carried the right voice.
 *
 * Pure: time is an argument; frames are played when the buffer is next told the time, at the times when they were due.
 */
#ifndef FAREND_MEDIA_PLAYOUT_H
#define FAREND_MEDIA_PLAYOUT_H

#include "nodes/base/lab_time.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MEDIA_FRAME_TICKS = 160, /* of the 8000 Hz clock: 20 ms */
    MEDIA_SLOTS = 64,        /* frames that the buffer holds at most: 1.28 s */
};
#define MEDIA_TICK  (125 * US)
#define MEDIA_FRAME (20 * MS)

enum media_voice { MEDIA_NOTHING, MEDIA_NOISE, MEDIA_VOICE }; /* what a slot holds; VOICE: of whom we want to hear */

/* Counts of 20 ms frames. */
struct media_heard {
    uint64_t due;    /* should have been heard */
    uint64_t played; /* something came in time */
    uint64_t voice;  /* and it was the right voice */
    uint64_t gaps;   /* times that one or more frames in a row were missing within the stream */
};

struct media_playout {
    lab_time delay;             /* of the buffer */
    bool started;               /* next_* mean something */
    uint32_t next_stamp;        /* RTP timestamp of the frame to be played next */
    lab_time next_at;           /* when */
    unsigned head;              /* its slot */
    uint8_t slots[MEDIA_SLOTS]; /* enum media_voice */
    bool missing;               /* the frame played last was not there */
    lab_time listen_from;       /* frames due from here on count; NEVER: nobody listens */
    struct media_heard now;     /* since listen_from */
    struct media_heard before;  /* of earlier times of listening */
};

void media_playout_init(struct media_playout *p, lab_time delay); /* at most MEDIA_SLOTS - 1 frames */

/* Forgets the stream, not the counts: another one begins with the next frame. */
void media_playout_reset(struct media_playout *p, lab_time now);

enum media_fate { MEDIA_QUEUED, MEDIA_LATE, MEDIA_REPEATED };
/* A frame with this timestamp arrived. Timestamps further ahead than the buffer is long begin a new stream. */
enum media_fate media_playout_put(struct media_playout *p, uint32_t stamp, enum media_voice voice, lab_time now);

/* Somebody listens from `from` on (>= now), or no longer (NEVER). */
void media_playout_listen(struct media_playout *p, lab_time from, lab_time now);

/* Everything that was due before `now`. */
void media_playout_heard(struct media_playout *p, lab_time now, struct media_heard *out);

#endif
