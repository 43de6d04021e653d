/* DNS from the wire: what is read can be written and read again, and is the same. */
#include "nodes/proto/dns.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 70000 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void same_name(const struct dns_name *name)
{
    char buf[DNS_NAME_TEXT];
    struct text t = text_on(buf, sizeof buf);
    struct dns_name again;
    dns_name_text(&t, name);
    require(text_ok(&t) && dns_name_parse(text_span(&t), &again) == 0 && dns_name_equal(name, &again));
}

static struct span data_text(const struct dns_record *r, char *buf, size_t cap)
{
    struct text t = text_on(buf, cap);
    dns_data_text(&t, r);
    return text_span(&t);
}

/* Compressed as farend does it: some of it may not fit. */
static struct span write_again(const struct dns_msg *m, uint8_t *room, size_t cap, unsigned *written)
{
    struct dns_writer w;
    struct dns_record r;
    dns_begin(&w, room, cap, &m->head);
    if (m->question.name.n)
        dns_put_question(&w, &m->question);
    struct dns_walk walk = dns_records(m);
    for (*written = 0; dns_next(&walk, &r) && dns_put_record(&w, walk.section, &r);)
        ++*written;
    return dns_end(&w);
}

static void same_records(const struct dns_msg *m, const struct dns_msg *again, unsigned n)
{
    static char texts[2][TEXT];
    struct dns_walk a = dns_records(m);
    struct dns_walk b = dns_records(again);
    struct dns_record ra;
    struct dns_record rb;
    for (unsigned i = 0; i < n; i++) {
        require(dns_next(&a, &ra) && dns_next(&b, &rb) && a.section == b.section);
        require(ra.type == rb.type && ra.class == rb.class && ra.ttl == rb.ttl && dns_name_equal(&ra.name, &rb.name));
        require(span_equal_nocase(data_text(&ra, texts[0], TEXT), data_text(&rb, texts[1], TEXT)));
        same_name(&ra.name);
    }
    require(!dns_next(&b, &rb));
}

static void parse_texts(struct span text)
{
    struct dns_srv srv;
    struct dns_naptr naptr;
    struct dns_name name;
    (void)dns_srv_parse(text, &srv);
    (void)dns_naptr_parse(text, &naptr);
    if (dns_name_parse(text, &name) == 0)
        same_name(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[65536];
    struct dns_msg m;
    struct dns_msg again;
    struct dns_answer answer;
    unsigned written;
    parse_texts(span_make(data, size));
    if (dns_parse(span_make(data, size), &m))
        return 0;
    dns_answer_find(&m, &answer);
    struct span bytes = write_again(&m, room, size & 1 ? DNS_UDP_MAX : sizeof room, &written);
    if (bytes.n == 0)
        return 0;
    require(dns_parse(bytes, &again) == 0);
    require(again.head.id == m.head.id && again.head.rcode == m.head.rcode && again.head.opcode == m.head.opcode);
    same_records(&m, &again, written);
    return 0;
}
