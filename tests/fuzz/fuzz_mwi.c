/* Message summaries from the wire, and the header that comes with them: what is understood can be written and read
 * again. */
#include "nodes/proto/mwi.h"
#include "nodes/proto/sip_event.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char room[4096];
    struct text t = text_on(room, sizeof room);
    struct span input = span_make(data, size);
    struct sip_subscription s;
    struct mwi m;
    struct mwi again;
    (void)sip_subscription_parse(input, &s);
    if (mwi_parse(input, &m) || m.account.n > 1000)
        return 0;
    mwi_write(&m, &t);
    if (!text_ok(&t) || mwi_parse(text_span(&t), &again) || again.waiting != m.waiting || again.new != m.new ||
        again.old != m.old || !span_equal(again.account, m.account))
        abort();
    return 0;
}
