/* Any bytes into the SDP parser; what it takes is read in full, copied unchanged, edited, and answered. */
#include "nodes/proto/sdp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM (1 << 17)

static char copy[ROOM];

static void must(bool what)
{
    if (!what)
        abort();
}

static void read_all(const struct sdp *sdp)
{
    for (size_t i = 0; i < sdp->n_media; i++) {
        const struct sdp_media *m = &sdp->media[i];
        struct span formats = m->formats;
        struct sdp_codec codec;
        uint8_t payload_type;
        while (sdp_format_next(&formats, &payload_type))
            if (sdp_codec(m, payload_type, &codec))
                must(sdp_codec_same(&codec, &codec));
        sdp_rtcp(m);
        sdp_on_hold(m);
    }
}

static void copy_unchanged(const struct sdp *sdp)
{
    static struct sdp_edit edit;
    struct text t = text_on(copy, sizeof copy);
    sdp_edit_begin(&edit, sdp);
    must(sdp_edit_write(&edit, &t) == 0);
    must(span_equal(text_span(&t), sdp->bytes));
}

/* Behind a relay every stream that was open and had an address has the relay's. */
static void relay(const struct sdp *sdp)
{
    static struct sdp_edit edit;
    static struct sdp again;
    const struct endpoint at = {IPV4(203, 0, 113, 10), 20000};
    struct text t = text_on(copy, sizeof copy);
    sdp_edit_begin(&edit, sdp);
    for (size_t i = 0; i < sdp->n_media; i++)
        sdp_edit_media(&edit, i, at);
    if (sdp_edit_write(&edit, &t))
        return;
    must(sdp_parse(text_span(&t), &again, NULL) == 0);
    must(again.n_media == sdp->n_media);
    for (size_t i = 0; i < again.n_media; i++) {
        must(again.media[i].port == (sdp->media[i].port ? at.port : 0));
        must(again.media[i].connection.addr == (sdp->media[i].connection.addr ? at.addr : 0));
    }
}

static void answer(const struct sdp *offer)
{
    static struct sdp again;
    const struct sdp_local local = {
        .at = {IPV4(192, 168, 1, 20), 3000},
        .ptime = 20,
        .n_codecs = 2,
        .codecs = {{.payload_type = 8, .name = SPAN("PCMA"), .clock = 8000, .channels = 1},
                   {.payload_type = 0, .name = SPAN("PCMU"), .clock = 8000, .channels = 1}},
    };
    struct text t = text_on(copy, sizeof copy);
    size_t stream;
    if (sdp_write_answer(&t, &local, offer, NULL, &stream))
        return;
    must(sdp_parse(text_span(&t), &again, NULL) == 0);
    must(again.n_media == offer->n_media && again.media[stream].port == 3000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sdp sdp;
    size_t offset;
    if (size > 65536)
        return 0;
    if (sdp_parse(span_make(data, size), &sdp, &offset)) {
        must(offset <= size);
        return 0;
    }
    read_all(&sdp);
    copy_unchanged(&sdp);
    relay(&sdp);
    answer(&sdp);
    return 0;
}
