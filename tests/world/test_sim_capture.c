/*     alice ── switch ── r1 ── wall
 *
 * The capture tells every packet's fate on every wire, Wireshark reads it, and two runs of a lab write the same bytes.
 * The wall is a node that owns its wire and drops what it gets. */
#define _POSIX_C_SOURCE 200809L
#include "tests/world/probe.h"

#include <unistd.h>

enum { ALICE_NODE, WALL_NODE, R1_NODE };
enum { HOME_WIRE, R1_WIRE, WALL_WIRE };
enum { BLOCK_PACKET = 6, OPT_COMMENT = 1 };

/* ---- the wall ---- */

static void wall_received(void *arg, unsigned port, uint8_t *packet, size_t n)
{
    char buf[256];
    struct text what = text_on(buf, sizeof buf);
    (void)port;
    ip_describe(&what, packet, n);
    host_drop(arg, "filtered", text_span(&what));
}

static int wall_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_raw_events events = {.received = wall_received};
    struct host_raw *raw;
    (void)settings;
    (void)why;
    *node = h;
    return host_raw_open(h, &events, h, &raw);
}

static void wall_stop(void *node)
{
    (void)node;
}

static const struct node_kind wall_kind = {
    .name = "wall", .raw = true, .options = probe_options, .settings_size = 1, .start = wall_start, .stop = wall_stop};

/* ---- the lab and its capture ---- */

static struct lab *lab_with_capture(uint64_t seed)
{
    static const struct wire_spec wire = {.delay = 2 * MS, .jitter = 1 * MS};
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    struct plan *plan = &lab->plan;
    plan->seed = seed;
    build_node(plan, "alice", &probe_kind);
    build_node(plan, "wall", &wall_kind);
    build_node(plan, "r1", NULL);
    struct plan_end home = build_switch(plan, "home");
    struct plan_end alice = build_port(plan, ALICE_NODE, "on", IPV4(10, 0, 0, 2), 24);
    struct plan_end left = build_port(plan, R1_NODE, "left", IPV4(10, 0, 0, 1), 24);
    struct plan_end right = build_port(plan, R1_NODE, "right", IPV4(10, 0, 1, 1), 24);
    struct plan_end wall = build_port(plan, WALL_NODE, "on", IPV4(10, 0, 1, 2), 24);
    build_wire(plan, "alice.home", alice, home, wire);
    plan->switches[0].gateway = (int)build_wire(plan, "r1.home", home, left, (struct wire_spec){0});
    build_wire(plan, "wall.r1", right, wall, wire);
    build_route(plan, ALICE_NODE, 0, 0, 0);
    lab->capture = tmpfile();
    assert_non_null(lab->capture);
    lab_open(lab);
    return lab;
}

/* The file's bytes; the caller frees them. */
static uint8_t *captured(const struct lab *lab, size_t *n)
{
    long size = ftell(lab->capture);
    uint8_t *bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    rewind(lab->capture);
    *n = fread(bytes, 1, (size_t)size, lab->capture);
    assert_int_equal(*n, size);
    return bytes;
}

static void lab_done(struct lab *lab)
{
    FILE *capture = lab->capture;
    lab_close(lab);
    fclose(capture);
    free(lab);
}

/* ---- reading pcapng ---- */

static uint32_t word(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Packet blocks on a wire that have this comment; NULL: that have none. */
static unsigned blocks(const uint8_t *file, size_t n, unsigned wire, const char *comment)
{
    unsigned count = 0;
    size_t length;
    for (size_t at = 0; at < n; at += length) {
        length = word(file + at + 4);
        assert_true(length % 4 == 0 && at + length <= n && word(file + at + length - 4) == length);
        if (word(file + at) != BLOCK_PACKET || word(file + at + 8) != wire)
            continue;
        bool found = false;
        bool any = false;
        size_t option = at + 28 + ((word(file + at + 20) + 3) & ~3u);
        while (option < at + length - 8) {
            uint16_t head[2]; /* code, length */
            memcpy(head, file + option, sizeof head);
            if (head[0] == OPT_COMMENT) {
                any = true;
                found = found || (comment && span_is(span_make(file + option + 4, head[1]), comment));
            }
            option += 4 + ((head[1] + 3u) & ~3u);
        }
        assert_int_equal(option, at + length - 8);
        count += comment ? found : !any;
    }
    return count;
}

static void every_packet_s_fate_is_in_the_capture(void **state)
{
    struct lab *lab = lab_with_capture(1);
    struct wire_spec cut;
    size_t n;
    (void)state;
    lab_command(lab, 1 * SEC, ALICE_NODE, "send 10.0.1.2 100");   /* reaches the wall */
    lab_command(lab, 2 * SEC, ALICE_NODE, "send 10.0.1.2 100 1"); /* dies at r1, which answers */
    lab_command(lab, 3 * SEC, ALICE_NODE, "send 10.0.9.9 100");   /* r1 knows no way */
    lab_run(lab);
    cut = *engine_wire(lab->engine, HOME_WIRE, 0);
    cut.loss = 1000000;
    engine_wire_set(lab->engine, HOME_WIRE, 0, &cut);
    lab_command(lab, 4 * SEC, ALICE_NODE, "send 10.0.1.2 100"); /* lost on the wire */
    lab_run(lab);
    uint8_t *file = captured(lab, &n);
    assert_int_equal(blocks(file, n, HOME_WIRE, NULL), 5);
    assert_int_equal(blocks(file, n, HOME_WIRE, "dropped on alice.home: lost"), 1);
    assert_int_equal(blocks(file, n, R1_WIRE, NULL), 3);
    assert_int_equal(blocks(file, n, R1_WIRE, "dropped by r1: ttl-exceeded"), 1);
    assert_int_equal(blocks(file, n, R1_WIRE, "dropped by r1: no-route"), 1);
    assert_int_equal(blocks(file, n, WALL_WIRE, NULL), 0);
    assert_int_equal(blocks(file, n, WALL_WIRE, "dropped by wall: filtered"), 1);
    free(file);
    lab_done(lab);
}

/* ---- secrets ---- */

/* Where the block of this type begins that comes after n others of it; the file's length when there is none. */
static size_t nth_block(const uint8_t *file, size_t n, uint32_t type, unsigned before)
{
    size_t at = 0;
    while (at < n && (word(file + at) != type || before-- > 0))
        at += word(file + at + 4);
    return at;
}

/* draft-ietf-opsawg-pcapng §4.7; a block that is open for comments stays whole. */
static void a_secret_stands_before_the_packets_that_follow(void **state)
{
    enum { BLOCK_SECRETS = 10, TLS_KEY_LOG = 0x544c534b };
    static const char secret[] = "CLIENT_RANDOM 00ff 1234\n";
    struct lab *lab = lab_with_capture(1);
    size_t n;
    (void)state;
    lab_command(lab, 1 * SEC, ALICE_NODE, "send 10.0.1.2 100");
    lab_run(lab);
    engine_secret(lab->engine, SPAN("CLIENT_RANDOM 00ff 1234"));
    lab_command(lab, 2 * SEC, ALICE_NODE, "send 10.0.1.2 100");
    lab_run(lab);
    uint8_t *file = captured(lab, &n);
    size_t at = nth_block(file, n, BLOCK_SECRETS, 0);
    assert_true(at < n);
    assert_int_equal(word(file + at + 4), 12 + 8 + ((sizeof secret - 1 + 3) & ~3u));
    assert_int_equal(word(file + at + 8), TLS_KEY_LOG);
    assert_int_equal(word(file + at + 12), sizeof secret - 1);
    assert_memory_equal(file + at + 16, secret, sizeof secret - 1);
    assert_true(nth_block(file, n, BLOCK_PACKET, 2) < at); /* the three wires of the first packet */
    assert_true(nth_block(file, n, BLOCK_PACKET, 3) > at);
    assert_int_equal(nth_block(file, n, BLOCK_SECRETS, 1), n);
    assert_int_equal(blocks(file, n, WALL_WIRE, "dropped by wall: filtered"), 2);
    free(file);
    lab_done(lab);
}

static void a_packet_for_nobody_ends_at_the_switch(void **state)
{
    struct lab *lab = lab_with_capture(1);
    struct engine_count count;
    size_t n;
    (void)state;
    lab_command(lab, 0, ALICE_NODE, "send 10.0.0.77 5"); /* the gateway has no such neighbour either: it comes back */
    lab_run(lab);
    uint8_t *file = captured(lab, &n);
    engine_count_all(lab->engine, &count);
    assert_int_equal(count.no_such_host, 1);
    assert_int_equal(lab_count(lab, "\"ev\":\"drop\",\"wire\":\"r1.home\",\"cause\":\"no-such-host\""), 1);
    assert_int_equal(blocks(file, n, R1_WIRE, "dropped on r1.home: no-such-host"), 1);
    free(file);
    lab_done(lab);
}

static struct lab *noisy_run(uint64_t seed)
{
    struct lab *lab = lab_with_capture(seed);
    struct wire_spec noisy = *engine_wire(lab->engine, WALL_WIRE, 0);
    noisy.jitter = 50 * MS;
    noisy.reorder = true;
    noisy.loss = 100000;
    engine_wire_set(lab->engine, WALL_WIRE, 0, &noisy);
    for (int i = 0; i < 100; i++)
        lab_command(lab, i * 10 * MS, ALICE_NODE, "send 10.0.1.2 100");
    lab_run(lab);
    return lab;
}

static bool same(const struct lab *a, const struct lab *b)
{
    size_t a_n;
    size_t b_n;
    uint8_t *a_bytes = captured(a, &a_n);
    uint8_t *b_bytes = captured(b, &b_n);
    bool captures = a_n == b_n && memcmp(a_bytes, b_bytes, a_n) == 0;
    bool traces = strcmp(a->trace, b->trace) == 0;
    free(a_bytes);
    free(b_bytes);
    assert_int_equal(captures, traces);
    return captures;
}

static void two_runs_with_one_seed_write_the_same_bytes(void **state)
{
    struct lab *first = noisy_run(5);
    struct lab *second = noisy_run(5);
    struct lab *other = noisy_run(6);
    (void)state;
    assert_true(same(first, second));
    assert_false(same(first, other));
    lab_done(first);
    lab_done(second);
    lab_done(other);
}

/* ---- Wireshark's opinion ---- */

static void tshark_reads_packets_names_and_comments(void **state)
{
    struct lab *lab = noisy_run(1);
    char path[] = "/tmp/farend-capture-XXXXXX";
    char command[256];
    char line[256] = "";
    size_t n;
    (void)state;
    uint8_t *file = captured(lab, &n);
    if (system("tshark --version >/dev/null 2>&1")) {
        free(file);
        lab_done(lab);
        skip();
    }
    int fd = mkstemp(path);
    assert_int_equal(write(fd, file, n), n);
    close(fd);
    snprintf(
        command, sizeof command,
        "tshark -r %s -T fields -E separator=, -e frame.interface_name -e frame.time_epoch -e ip.src -e udp.dstport "
        "-e frame.comment 2>&1 | grep -c '^wall.r1,.*,10.0.0.2,5000,dropped by wall: filtered$'",
        path);
    FILE *tshark = popen(command, "r");
    assert_non_null(tshark);
    assert_non_null(fgets(line, sizeof line, tshark));
    pclose(tshark);
    unlink(path);
    assert_int_equal(strtoul(line, NULL, 10), blocks(file, n, WALL_WIRE, "dropped by wall: filtered"));
    assert_in_range(strtoul(line, NULL, 10), 80, 100);
    free(file);
    lab_done(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_packet_s_fate_is_in_the_capture),
        cmocka_unit_test(a_secret_stands_before_the_packets_that_follow),
        cmocka_unit_test(a_packet_for_nobody_ends_at_the_switch),
        cmocka_unit_test(two_runs_with_one_seed_write_the_same_bytes),
        cmocka_unit_test(tshark_reads_packets_names_and_comments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
