/* RTP and RTCP from the wire: whatever comes, every view stays inside the bytes. The first byte chooses. */
#include "nodes/proto/rtcp.h"
#include "nodes/proto/rtp.h"
#include "nodes/proto/rtp_source.h"

#include "nodes/media/tone.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct span part, struct span whole)
{
    if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void rtp(struct span datagram)
{
    struct rtp_view v;
    struct tone_ear ear = {0};
    if (rtp_parse(datagram, &v))
        return;
    inside(v.csrc, datagram);
    inside(v.extension, datagram);
    inside(v.payload, datagram);
    tone_hear(&ear, G711_ULAW, (const uint8_t *)v.payload.p, v.payload.n);
    tone_hear(&ear, G711_ALAW, (const uint8_t *)v.payload.p, v.payload.n);
}

static void rtcp(struct span datagram)
{
    struct rtcp_packet packet;
    if (rtcp_check(datagram))
        return;
    for (struct span rest = datagram; rtcp_next(&rest, &packet);) {
        struct rtcp_sender sender;
        struct rtcp_block block;
        struct span cname;
        uint32_t ssrc = 0;
        inside(packet.body, datagram);
        rtcp_sender(&packet, &sender);
        rtcp_reporter(&packet, &ssrc);
        for (unsigned i = 0; rtcp_block(&packet, i, &block) == 0; i++)
            ;
        if (rtcp_cname(&packet, ssrc, &cname))
            inside(cname, packet.body);
        rtcp_bye_has(&packet, ssrc);
    }
}

/* Any sequence of numbers and times: counts never contradict each other. */
static void source(const uint8_t *data, size_t size)
{
    struct rtp_source s;
    lab_time now = 0;
    rtp_source_init(&s, size ? data[0] % 4 : 0);
    for (size_t i = 0; i + 3 < size; i += 4) {
        uint16_t seq = (uint16_t)(data[i] << 8 | data[i + 1]);
        now += data[i + 2] * MS;
        enum rtp_seq verdict = rtp_source_packet(&s, seq);
        if (verdict == RTP_SEQ_NEW)
            rtp_source_arrival(&s, (uint32_t)data[i + 3] << 24, 8000, now);
        if (verdict == RTP_SEQ_RESTART)
            rtp_source_init(&s, 0);
        if (rtp_source_lost(&s) > rtp_source_expected(&s) || rtp_source_jitter(&s) < 0)
            abort();
        rtp_source_fraction(&s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct span rest = span_make(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0: rtp(rest); break;
    case 1: rtcp(rest); break;
    case 2: source(data + 1, size - 1); break;
    }
    return 0;
}
