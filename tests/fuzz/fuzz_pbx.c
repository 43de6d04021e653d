/* Whatever arrives at a PBX's SIP port, it survives and leaves nothing behind. The input is a row of datagrams, each
 * ended by a byte 0x00. */
#include "nodes/node.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind pbx_kind;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct endpoint local = {IPV4(10, 0, 1, 10), 5060};
static const struct endpoint phone = {IPV4(10, 0, 1, 31), 5060};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct host *h = fake_new("on", local.addr, NULL, 0);
    void *settings = options_new(pbx_kind.options, pbx_kind.settings_size);
    struct span rest = span_make(data, n);
    void *node;
    if (options_set(pbx_kind.options, settings, SPAN("lines.101"), SPAN(""), NULL) ||
        options_set(pbx_kind.options, settings, SPAN("lines.102.password"), SPAN("x"), NULL) ||
        pbx_kind.start(h, settings, &node, NULL))
        abort();
    while (rest.n) {
        fake_deliver(h, phone, local, 64, span_cut(rest, '\0', &rest));
        h->sent_n = 0;
        h->trace_n = 0;
    }
    fake_advance(h, h->now + 100 * SEC);
    pbx_kind.stop(node);
    if (fake_open_sockets(h) || timers_next(&h->timers) != NEVER)
        abort();
    options_free(pbx_kind.options, settings);
    fake_free(h);
    return 0;
}
