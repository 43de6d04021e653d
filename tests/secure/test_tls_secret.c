/* The key log lines: with them tshark reads what a capture of the ciphertext hides. */
#define _GNU_SOURCE
#include "tests/secure/tls_rig.h"

#include <unistd.h>

#define REQUEST                                                                                                        \
    "OPTIONS sip:sbc.example.com SIP/2.0\r\n"                                                                          \
    "Via: SIP/2.0/TLS 192.168.1.20:5061;branch=z9hG4bK1\r\n"                                                           \
    "From: <sip:101@sbc.example.com>;tag=1\r\nTo: <sip:sbc.example.com>\r\n"                                           \
    "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

/* ---- a capture: pcap, raw IPv4, TCP port 40000 to 5061 ---- */

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

struct capture {
    FILE *f;
    uint32_t seq[SIDES];
};

static void segment(struct capture *c, int from, uint8_t flags, struct span data)
{
    enum { IP = 20, TCP = 20 };
    uint8_t head[IP + TCP] = {[0] = 0x45, [8] = 64, [9] = 6, [32] = 0x50, [33] = flags};
    const uint32_t record[4] = {0, 0, (uint32_t)(sizeof head + data.n), (uint32_t)(sizeof head + data.n)};
    put16(head + 2, (unsigned)(sizeof head + data.n));
    put32(head + 12, from == CLIENT ? 0xc0a80114 : 0xcb00710a);
    put32(head + 16, from == CLIENT ? 0xcb00710a : 0xc0a80114);
    put16(head + 20, from == CLIENT ? 40000 : 5061);
    put16(head + 22, from == CLIENT ? 5061 : 40000);
    put32(head + 24, c->seq[from]);
    put32(head + 28, flags & 0x10 ? c->seq[1 - from] : 0);
    put16(head + 34, 65535);
    fwrite(record, sizeof record, 1, c->f);
    fwrite(head, sizeof head, 1, c->f);
    fwrite(data.p, 1, data.n, c->f);
    c->seq[from] += (uint32_t)data.n + (flags & 0x02 ? 1 : 0);
}

static void capture_begin(struct capture *c, const char *path)
{
    const uint32_t head[6] = {0xa1b2c3d4, 2 | 4u << 16, 0, 0, 65535, 101}; /* LINKTYPE_RAW */
    *c = (struct capture){.f = fopen(path, "wb")};
    assert_non_null(c->f);
    fwrite(head, sizeof head, 1, c->f);
    segment(c, CLIENT, 0x02, SPAN(""));
    segment(c, SERVER, 0x12, SPAN(""));
    segment(c, CLIENT, 0x10, SPAN(""));
}

/* As rig_settle(), with each piece in the capture. */
static void settle_captured(struct rig *r, struct capture *c)
{
    for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < SIDES; i++) {
            struct side *s = &r->side[i];
            if (s->sent.n == s->taken)
                continue;
            segment(c, i, 0x18, span_make(s->sent.p + s->taken, s->sent.n - s->taken));
            any = rig_carry(r, i);
        }
    }
}

static void talk_captured(struct rig *r, struct capture *c)
{
    rig_hang_up(r);
    for (int i = 0; i < SIDES; i++) {
        assert_int_equal(
            tls_new(r->side[i].context, SPAN("sbc.example.com"), &rig_events, &r->side[i], &r->side[i].tls), 0);
        tls_start(r->side[i].tls, r->now);
    }
    settle_captured(r, c);
    assert_established(r);
    assert_int_equal(tls_send(r->side[CLIENT].tls, SPAN(REQUEST), r->now), 0);
    settle_captured(r, c);
    assert_int_equal(r->side[SERVER].received.n, sizeof REQUEST - 1);
}

static void write_keys(const struct rig *r, const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "%s\n", r->side[SERVER].secret);
    fclose(f);
}

/* What tshark reads: the methods of the SIP requests. */
static void assert_readable(struct rig *r)
{
    char folder[] = "/tmp/farend-secret-XXXXXX";
    char keys[64];
    char pcap[64];
    char command[400];
    char line[64] = "";
    struct capture c;
    assert_non_null(mkdtemp(folder));
    snprintf(keys, sizeof keys, "%s/keys", folder);
    snprintf(pcap, sizeof pcap, "%s/pcap", folder);
    capture_begin(&c, pcap);
    talk_captured(r, &c);
    fclose(c.f);
    write_keys(r, keys);
    snprintf(command, sizeof command,
             "tshark -r %s -o tls.keylog_file:%s -d tcp.port==5061,tls -Y sip -T fields -e sip.Method 2>/dev/null",
             pcap, keys);
    FILE *tshark = popen(command, "r");
    assert_non_null(tshark);
    assert_non_null(fgets(line, sizeof line, tshark));
    pclose(tshark);
    assert_string_equal(line, "OPTIONS\n");
    unlink(keys);
    unlink(pcap);
    rmdir(folder);
}

static void tshark_reads_sip_with_the_secrets(void **state)
{
    struct rig *r = *state;
    if (system("tshark --version >/dev/null 2>&1"))
        skip();
    rig_contexts(r);
    assert_readable(r);
    assert_false(r->side[CLIENT].resumed);
    assert_readable(r); /* a resumed session has secrets of its own */
    assert_true(r->side[CLIENT].resumed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tshark_reads_sip_with_the_secrets, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
