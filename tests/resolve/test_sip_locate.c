/* RFC 3263 §4: from a host to targets; RFC 2782's order; DN-2, PH-25. */
#include "tests/resolve/dns_rig.h"

#include "nodes/resolve/sip_blacklist.h"
#include "nodes/resolve/sip_locate.h"

struct locating {
    struct rig rig;
    struct sip_locator locator;
    struct sip_search *search;
    struct sip_location location;
    unsigned told;
};

static void told(void *arg, const struct sip_location *location)
{
    struct locating *l = arg;
    l->told++;
    l->location = *location;
    l->search = NULL;
}

static void prepare(struct locating *l)
{
    memset(l, 0, sizeof *l);
    rig_prepare(&l->rig, 1);
}

static void start(struct locating *l)
{
    rig_start(&l->rig);
    sip_locator_init(&l->locator, l->rig.client, l->rig.resolver);
}

static void record(struct locating *l, const char *path, const char *value)
{
    rig_set(&l->rig, 0, path, value);
}

/* A domain that wants TLS first, and has two gateways. */
static void arrange(struct locating *l)
{
    prepare(l);
    record(l, "records.example.com.naptr", "20 50 s SIP+D2U _sip._udp.example.com");
    record(l, "records.example.com.naptr", "10 60 s SIP+D2T _sip._tcp.example.com");
    record(l, "records.example.com.naptr", "10 50 s SIPS+D2T _sips._tcp.example.com");
    record(l, "records._sips._tcp.example.com.srv", "10 50 5061 sbc1.example.com");
    record(l, "records._sips._tcp.example.com.srv", "20 50 5062 sbc2.example.com");
    record(l, "records._sip._tcp.example.com.srv", "10 50 5060 sbc1.example.com");
    record(l, "records._sip._udp.example.com.srv", "10 50 5070 sbc2.example.com");
    record(l, "records.example.com.a", "203.0.113.1");
    record(l, "records.sbc1.example.com.a", "203.0.113.11");
    record(l, "records.sbc2.example.com.a", "203.0.113.12");
    record(l, "records.sbc2.example.com.a", "203.0.113.13");
    start(l);
}

static void finish(struct locating *l)
{
    sip_locator_fini(&l->locator);
    rig_stop(&l->rig);
}

static void locate(struct locating *l, const char *host, uint16_t port, enum sip_transport t, bool sips)
{
    struct sip_locate_query q = {span_of(host), port, t, sips, {SIP_UDP, SIP_TCP, SIP_TLS}, 3};
    l->told = 0;
    assert_int_equal(sip_locate(&l->locator, &q, told, l, &l->search), 0);
    assert_int_equal(l->told, 0);
    rig_settle(&l->rig);
    assert_int_equal(l->told, 1);
}

static const char *said(const struct locating *l)
{
    static char buf[2048];
    struct text t = text_on(buf, sizeof buf);
    static const char *const results[] = {"found", "nothing", "failed"};
    text_str(&t, results[l->location.result]);
    for (unsigned i = 0; i < l->location.n; i++) {
        text_char(&t, ' ');
        text_put(&t, sip_transport_name(l->location.targets[i].transport));
        text_char(&t, '@');
        text_endpoint(&t, l->location.targets[i].at);
    }
    return buf;
}

/* ---- PH-25: addresses, ports ---- */

static void an_address_is_not_asked_for(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    locate(&l, "203.0.113.9", 0, SIP_TRANSPORT_OTHER, false);
    assert_string_equal(said(&l), "found UDP@203.0.113.9:5060");
    assert_int_equal(l.location.expires, NEVER);
    assert_int_equal(l.location.domain.n, 0);
    locate(&l, "203.0.113.9", 0, SIP_TRANSPORT_OTHER, true);
    assert_string_equal(said(&l), "found TLS@203.0.113.9:5061");
    locate(&l, "203.0.113.9", 5080, SIP_TCP, false);
    assert_string_equal(said(&l), "found TCP@203.0.113.9:5080");
    assert_int_equal(rig_queries(&l.rig, 0), 0);
    finish(&l);
}

static void a_name_with_a_port_is_its_addresses_4_2(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    locate(&l, "sbc2.example.com", 5080, SIP_TRANSPORT_OTHER, false);
    assert_string_equal(said(&l), "found UDP@203.0.113.12:5080 UDP@203.0.113.13:5080");
    assert_int_equal(rig_queries(&l.rig, 0), 1);
    assert_int_equal(l.location.expires, HOUR);
    locate(&l, "sbc2.example.com", 5080, SIP_TRANSPORT_OTHER, true);
    assert_string_equal(said(&l), "found TLS@203.0.113.12:5080 TLS@203.0.113.13:5080");
    finish(&l);
}

/* ---- NAPTR ---- */

static void naptr_says_the_transport_4_1(void **state)
{
    struct locating l;
    char buf[DNS_NAME_TEXT];
    struct text name = text_on(buf, sizeof buf);
    (void)state;
    arrange(&l);
    locate(&l, "example.com", 0, SIP_TRANSPORT_OTHER, false);
    /* order 10 alone (RFC 3403 §4.1), by preference, then each SRV's priorities */
    assert_string_equal(said(&l), "found TLS@203.0.113.11:5061 TLS@203.0.113.12:5062 TLS@203.0.113.13:5062"
                                  " TCP@203.0.113.11:5060");
    dns_name_text(&name, &l.location.domain);
    assert_string_equal(buf, "example.com"); /* RFC 5922 §4: the certificate is the domain's */
    finish(&l);
}

static void sips_is_tls_only_4_1(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    locate(&l, "example.com", 0, SIP_TRANSPORT_OTHER, true);
    assert_string_equal(said(&l), "found TLS@203.0.113.11:5061 TLS@203.0.113.12:5062 TLS@203.0.113.13:5062");
    finish(&l);
}

static void what_the_caller_does_not_speak_is_passed_over(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    struct sip_locate_query q = {SPAN("example.com"), 0, SIP_TRANSPORT_OTHER, false, {SIP_UDP}, 1};
    assert_int_equal(sip_locate(&l.locator, &q, told, &l, &l.search), 0);
    rig_settle(&l.rig);
    assert_string_equal(said(&l), "found UDP@203.0.113.12:5070 UDP@203.0.113.13:5070");
    q.transport = SIP_TLS;
    assert_int_equal(sip_locate(&l.locator, &q, told, &l, &l.search), 0);
    rig_settle(&l.rig);
    assert_string_equal(said(&l), "nothing");
    q.transport = SIP_TRANSPORT_OTHER;
    q.sips = true;
    assert_int_equal(sip_locate(&l.locator, &q, told, &l, &l.search), 0);
    rig_settle(&l.rig);
    assert_string_equal(said(&l), "nothing");
    finish(&l);
}

/* What came along with the NAPTR and SRV answers is not asked for. */
static void additional_addresses_are_used(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    locate(&l, "example.com", 0, SIP_TRANSPORT_OTHER, true);
    assert_int_equal(rig_queries(&l.rig, 0), 2); /* NAPTR, SRV */
    finish(&l);
    prepare(&l);
    record(&l, "additional", "no");
    record(&l, "records._sips._tcp.example.com.srv", "10 50 5061 sbc1.example.com");
    record(&l, "records.sbc1.example.com.a", "203.0.113.11");
    start(&l);
    locate(&l, "example.com", 0, SIP_TLS, false);
    assert_string_equal(said(&l), "found TLS@203.0.113.11:5061");
    assert_int_equal(rig_queries(&l.rig, 0), 2); /* SRV, A */
    finish(&l);
}

/* ---- SRV ---- */

static void a_given_transport_goes_to_its_srv_4_1(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    locate(&l, "example.com", 0, SIP_UDP, false);
    assert_string_equal(said(&l), "found UDP@203.0.113.12:5070 UDP@203.0.113.13:5070");
    assert_int_equal(fake_traced(l.rig.client, "NAPTR", ""), 0);
    locate(&l, "example.com", 0, SIP_TCP, true); /* over TLS, then */
    assert_string_equal(said(&l), "found TLS@203.0.113.11:5061 TLS@203.0.113.12:5062 TLS@203.0.113.13:5062");
    finish(&l);
}

static void without_naptr_each_transport_is_asked_for_4_1(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    rig_tell(&l.rig, 0, "remove example.com naptr");
    locate(&l, "example.com", 0, SIP_TRANSPORT_OTHER, false);
    assert_string_equal(said(&l), "found UDP@203.0.113.12:5070 UDP@203.0.113.13:5070 TCP@203.0.113.11:5060"
                                  " TLS@203.0.113.11:5061 TLS@203.0.113.12:5062 TLS@203.0.113.13:5062");
    finish(&l);
}

static void without_srv_the_host_itself_4_2(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    locate(&l, "sbc1.example.com", 0, SIP_TRANSPORT_OTHER, false);
    assert_string_equal(said(&l), "found UDP@203.0.113.11:5060");
    locate(&l, "sbc1.example.com", 0, SIP_TRANSPORT_OTHER, true);
    assert_string_equal(said(&l), "found TLS@203.0.113.11:5061");
    locate(&l, "sbc1.example.com", 0, SIP_TCP, false);
    assert_string_equal(said(&l), "found TCP@203.0.113.11:5060");
    finish(&l);
}

/* RFC 2782: a target of "." means that the service is decidedly not available at this domain. */
static void the_root_as_target_is_a_no(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    rig_tell(&l.rig, 0, "set _sip._udp.example.com srv 0 0 0 .");
    locate(&l, "example.com", 0, SIP_UDP, false);
    assert_string_equal(said(&l), "nothing");
    finish(&l);
}

static void nobody_has_the_name(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    locate(&l, "other.example.com", 0, SIP_TRANSPORT_OTHER, false);
    assert_string_equal(said(&l), "nothing");
    assert_int_equal(l.location.expires, 60 * SEC); /* the negative TTL */
    locate(&l, "not..a.name", 0, SIP_TRANSPORT_OTHER, false);
    assert_string_equal(said(&l), "nothing");
    locate(&l, "", 0, SIP_TRANSPORT_OTHER, false);
    assert_string_equal(said(&l), "nothing");
    finish(&l);
}

static void a_server_without_address_is_left_away(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    rig_tell(&l.rig, 0, "remove sbc1.example.com");
    locate(&l, "example.com", 0, SIP_TRANSPORT_OTHER, true);
    assert_string_equal(said(&l), "found TLS@203.0.113.12:5062 TLS@203.0.113.13:5062");
    finish(&l);
}

static void two_names_of_one_server_are_one_target(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    rig_tell(&l.rig, 0, "set sbc1.example.com a 203.0.113.12");
    rig_tell(&l.rig, 0, "set _sips._tcp.example.com srv 1 1 5061 sbc1.example.com, 2 1 5061 sbc2.example.com");
    locate(&l, "example.com", 0, SIP_TLS, false);
    assert_string_equal(said(&l), "found TLS@203.0.113.12:5061 TLS@203.0.113.13:5061");
    finish(&l);
}

/* One that does not tell is asked no more questions about this. */
static void dns_does_not_tell(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    rig_tell(&l.rig, 0, "set answers servfail");
    locate(&l, "example.com", 0, SIP_TRANSPORT_OTHER, false);
    assert_string_equal(said(&l), "failed");
    assert_int_equal(rig_queries(&l.rig, 0), 2); /* two rounds of NAPTR */
    assert_int_equal(l.location.expires, 0);     /* now */
    finish(&l);
}

static void the_smallest_ttl_counts(void **state)
{
    struct locating l;
    (void)state;
    arrange(&l);
    rig_tell(&l.rig, 0, "set example.com ttl 100s");
    rig_tell(&l.rig, 0, "set _sips._tcp.example.com ttl 90s");
    rig_tell(&l.rig, 0, "set sbc1.example.com ttl 80s");
    locate(&l, "example.com", 0, SIP_TRANSPORT_OTHER, true);
    assert_int_equal(l.location.expires, 80 * SEC);
    /* the address's time is over, the SRV is still remembered: it is asked for by itself */
    rig_tell(&l.rig, 0, "set sbc1.example.com a 203.0.113.99");
    rig_advance(&l.rig, 85 * SEC);
    locate(&l, "example.com", 0, SIP_TRANSPORT_OTHER, true);
    assert_string_equal(said(&l), "found TLS@203.0.113.99:5061 TLS@203.0.113.12:5062 TLS@203.0.113.13:5062");
    assert_int_equal(l.location.expires, 90 * SEC);
    finish(&l);
}

/* Each location is a draw of its own: two requests may go to different gateways; all draws repeat with the seed. */
static void draws_differ_and_repeat(void **state)
{
    enum { DRAWS = 60 };
    uint16_t first[2][DRAWS];
    (void)state;
    for (unsigned run = 0; run < 2; run++) {
        struct locating l;
        prepare(&l);
        for (unsigned i = 1; i <= 3; i++) {
            char srv[64];
            snprintf(srv, sizeof srv, "10 %u %u sbc.example.com", i * 20, 5060 + i);
            record(&l, "records._sip._udp.example.com.srv", srv);
        }
        record(&l, "records.sbc.example.com.a", "203.0.113.1");
        start(&l);
        for (unsigned i = 0; i < DRAWS; i++) {
            locate(&l, "example.com", 0, SIP_UDP, false);
            assert_int_equal(l.location.n, 3);
            first[run][i] = l.location.targets[0].at.port;
        }
        finish(&l);
    }
    assert_memory_equal(first[0], first[1], sizeof first[0]);
    unsigned count[4] = {0};
    for (unsigned i = 0; i < DRAWS; i++)
        count[first[0][i] - 5060]++;
    assert_true(count[1] > 0 && count[2] > count[1] && count[3] > count[2]);
}

static void a_search_can_be_cancelled(void **state)
{
    struct locating l;
    struct sip_locate_query q = {SPAN("example.com"), 0, SIP_TRANSPORT_OTHER, false, {SIP_UDP}, 1};
    (void)state;
    arrange(&l);
    l.rig.up[0] = false;
    assert_int_equal(sip_locate(&l.locator, &q, told, &l, &l.search), 0);
    rig_settle(&l.rig);
    sip_search_cancel(l.search);
    assert_int_equal(fake_open_sockets(l.rig.client), 0);
    assert_int_equal(sip_locate(&l.locator, &q, told, &l, &l.search), 0); /* sip_locator_fini() ends it */
    sip_search_cancel(NULL);
    assert_int_equal(l.told, 0);
    finish(&l);
}

/* ---- random answers ---- */

static struct dns_name random_name(struct prng *rng)
{
    static const char *const names[] = {"example.com",   "_sip._udp.example.com", "_sips._tcp.example.com",
                                        "a.example.com", "_sip._tcp.example.com", ".",
                                        "b.example.com", "A.Example.Com"};
    struct dns_name name;
    assert_int_equal(dns_name_parse(span_of(names[prng_below(rng, 8)]), &name), 0);
    return name;
}

static struct dns_record random_record(struct prng *rng)
{
    static const uint16_t types[] = {DNS_A, DNS_SRV, DNS_NAPTR, DNS_CNAME, DNS_SOA, DNS_TXT};
    static const char *const services[] = {"SIP+D2U", "SIP+D2T", "SIPS+D2T", "E2U+sip"};
    struct dns_record r = {.type = types[prng_below(rng, 6)], .class = DNS_IN};
    r.name = random_name(rng);
    r.ttl = (uint32_t)prng_below(rng, 3) * 10;
    if (r.type == DNS_A) {
        r.addr = IPV4(203, 0, 113, 1) + (ipv4)prng_below(rng, 100);
    } else if (r.type == DNS_SRV) {
        r.srv = (struct dns_srv){(uint16_t)prng_below(rng, 3), (uint16_t)prng_below(rng, 3), 5060, random_name(rng)};
    } else if (r.type == DNS_NAPTR) {
        r.naptr = (struct dns_naptr){.order = (uint16_t)prng_below(rng, 2), .flags = SPAN("s")};
        r.naptr.services = span_of(services[prng_below(rng, 4)]);
        r.naptr.replacement = random_name(rng);
    } else if (r.type == DNS_CNAME) {
        r.target = random_name(rng);
    } else if (r.type == DNS_SOA) {
        r.soa = (struct dns_soa){random_name(rng), random_name(rng), .minimum = 10};
    } else {
        r.data = SPAN("\1x");
    }
    return r;
}

/* Any answer to this query, sometimes with a bit turned round. */
static void random_answer(struct locating *l, struct prng *rng, const struct fake_datagram *d)
{
    uint8_t room[512];
    struct dns_msg query;
    struct dns_writer w;
    assert_int_equal(dns_parse(span_make(d->data, d->n), &query), 0);
    struct dns_head head = {.id = query.head.id, .response = true, .recursion_available = true};
    head.rcode = prng_chance(rng, 800000) ? 0 : (uint8_t)prng_below(rng, 6);
    dns_begin(&w, room, sizeof room, &head);
    dns_put_question(&w, &query.question);
    for (unsigned section = 0; section < DNS_SECTIONS; section++)
        for (uint64_t n = prng_below(rng, 5); n > 0; n--) {
            struct dns_record r = random_record(rng);
            if (prng_chance(rng, 500000) && section == DNS_ANSWER)
                r.name = query.question.name;
            (void)dns_put_record(&w, (enum dns_section)section, &r);
        }
    if (prng_chance(rng, 200000))
        room[prng_below(rng, w.n)] ^= (uint8_t)(1u << prng_below(rng, 8));
    fake_deliver(l->rig.client, l->rig.endpoints[0], d->from, 64, dns_end(&w));
}

static void answer_all(struct locating *l, struct prng *rng)
{
    static struct fake_datagram d[FAKE_SENT];
    size_t n = l->rig.client->sent_n;
    memcpy(d, l->rig.client->sent, n * sizeof *d);
    l->rig.client->sent_n = 0;
    for (size_t i = 0; i < n; i++)
        random_answer(l, rng, &d[i]);
}

/* Every search ends, with targets exactly when it found something, and leaves nothing behind. */
static void random_answers_end_every_search(void **state)
{
    struct locating l;
    struct prng rng;
    (void)state;
    prng_init(&rng, 1, SPAN("test"), SPAN("answers"));
    arrange(&l);
    unsigned found = 0;
    for (unsigned round = 0; round < 3000; round++) {
        struct sip_locate_query q = {SPAN("example.com"),         0, SIP_TRANSPORT_OTHER, prng_chance(&rng, 300000),
                                     {SIP_TLS, SIP_UDP, SIP_TCP}, 3};
        l.told = 0;
        assert_int_equal(sip_locate(&l.locator, &q, told, &l, &l.search), 0);
        for (unsigned i = 0; i < 400 && !l.told; i++) {
            fake_advance(l.rig.client, l.rig.client->now + 500 * MS);
            answer_all(&l, &rng);
        }
        assert_int_equal(l.told, 1);
        assert_int_equal(l.location.result == SIP_LOCATE_FOUND, l.location.n > 0);
        found += l.location.n > 0;
        memset(l.rig.client->trace, 0, l.rig.client->trace_n);
        l.rig.client->trace_n = 0;
    }
    assert_in_range(found, 300, 2900);
    finish(&l);
}

/* ---- DN-2: the next target ---- */

static struct sip_location three(void)
{
    struct sip_location l = {.result = SIP_LOCATE_FOUND, .n = 3};
    for (unsigned i = 0; i < 3; i++)
        l.targets[i] = (struct sip_locate_target){SIP_UDP, {IPV4(203, 0, 113, i + 1), 5060}, {0, {0}}};
    return l;
}

static void a_walk_tries_each_once(void **state)
{
    struct sip_location l = three();
    struct sip_blacklist b;
    struct sip_target_walk w = {0};
    (void)state;
    sip_blacklist_init(&b, 0);
    sip_blacklist_add(&b, &l.targets[0], 0); /* off: forgotten at once */
    for (unsigned i = 0; i < 3; i++)
        assert_ptr_equal(sip_target_next(&w, &l, &b, 0), &l.targets[i]);
    assert_null(sip_target_next(&w, &l, &b, 0));
    struct sip_location none = {.result = SIP_LOCATE_NOTHING};
    w = (struct sip_target_walk){0};
    assert_null(sip_target_next(&w, &none, &b, 0));
}

/* PH-25: 300 s; SB-12: 41 s. */
static void failed_targets_are_passed_by_for_a_while(void **state)
{
    struct sip_location l = three();
    struct sip_blacklist b;
    struct sip_target_walk w = {0};
    (void)state;
    sip_blacklist_init(&b, 41 * SEC);
    assert_ptr_equal(sip_target_next(&w, &l, &b, 0), &l.targets[0]);
    sip_blacklist_add(&b, &l.targets[0], 0);
    assert_ptr_equal(sip_target_next(&w, &l, &b, 0), &l.targets[1]);
    w = (struct sip_target_walk){0};
    assert_ptr_equal(sip_target_next(&w, &l, &b, 41 * SEC - 1), &l.targets[1]);
    w = (struct sip_target_walk){0};
    assert_ptr_equal(sip_target_next(&w, &l, &b, 41 * SEC), &l.targets[0]);
    sip_blacklist_add(&b, &l.targets[1], 41 * SEC);
    struct sip_locate_target tcp = l.targets[1];
    tcp.transport = SIP_TCP; /* another transport is another target */
    assert_false(sip_blacklist_has(&b, &tcp, 42 * SEC));
    assert_true(sip_blacklist_has(&b, &l.targets[1], 42 * SEC));
    sip_blacklist_remove(&b, &l.targets[1]);
    sip_blacklist_remove(&b, &l.targets[1]);
    assert_false(sip_blacklist_has(&b, &l.targets[1], 42 * SEC));
}

static void somebody_has_to_be_asked(void **state)
{
    struct sip_location l = three();
    struct sip_blacklist b;
    struct sip_target_walk w = {0};
    (void)state;
    sip_blacklist_init(&b, 300 * SEC);
    for (unsigned i = 0; i < 3; i++)
        sip_blacklist_add(&b, &l.targets[i], 0);
    assert_ptr_equal(sip_target_next(&w, &l, &b, 1 * SEC), &l.targets[0]);
    assert_null(sip_target_next(&w, &l, &b, 1 * SEC));
}

static void a_full_list_forgets_the_soonest(void **state)
{
    struct sip_blacklist b;
    struct sip_locate_target t = {SIP_UDP, {0, 5060}, {0, {0}}};
    (void)state;
    sip_blacklist_init(&b, 300 * SEC);
    for (unsigned i = 0; i <= SIP_BLACKLIST_MAX; i++) {
        t.at.addr = i + 1;
        sip_blacklist_add(&b, &t, (lab_time)i);
    }
    t.at.addr = 1;
    assert_false(sip_blacklist_has(&b, &t, SEC));
    t.at.addr = 2;
    assert_true(sip_blacklist_has(&b, &t, SEC));
    assert_int_equal(b.n, SIP_BLACKLIST_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_not_asked_for),
        cmocka_unit_test(a_name_with_a_port_is_its_addresses_4_2),
        cmocka_unit_test(naptr_says_the_transport_4_1),
        cmocka_unit_test(sips_is_tls_only_4_1),
        cmocka_unit_test(what_the_caller_does_not_speak_is_passed_over),
        cmocka_unit_test(additional_addresses_are_used),
        cmocka_unit_test(a_given_transport_goes_to_its_srv_4_1),
        cmocka_unit_test(without_naptr_each_transport_is_asked_for_4_1),
        cmocka_unit_test(without_srv_the_host_itself_4_2),
        cmocka_unit_test(the_root_as_target_is_a_no),
        cmocka_unit_test(nobody_has_the_name),
        cmocka_unit_test(a_server_without_address_is_left_away),
        cmocka_unit_test(two_names_of_one_server_are_one_target),
        cmocka_unit_test(dns_does_not_tell),
        cmocka_unit_test(the_smallest_ttl_counts),
        cmocka_unit_test(draws_differ_and_repeat),
        cmocka_unit_test(a_search_can_be_cancelled),
        cmocka_unit_test(random_answers_end_every_search),
        cmocka_unit_test(a_walk_tries_each_once),
        cmocka_unit_test(failed_targets_are_passed_by_for_a_while),
        cmocka_unit_test(somebody_has_to_be_asked),
        cmocka_unit_test(a_full_list_forgets_the_soonest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
