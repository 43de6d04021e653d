/* A lab's network in verdict.json, read again, and laid out. */
#define _GNU_SOURCE
#include "sim/lab/lab.h"
#include "sim/report/topology_place.h"
#include "tests/cmocka.h"

#include <stdlib.h>

static json_t *root;
static struct topology t;
static struct topology_places places;

/* Through JSON text, as a run leaves it. */
static void of_lab(const char *text)
{
    struct lab *lab;
    json_t *written = json_object();
    assert_int_equal(lab_parse(&lab, "t.yaml", span_of(text), NULL, 0), 0);
    assert_int_equal(topology_json(lab, written), 0);
    char *bytes = json_dumps(written, 0);
    root = json_loads(bytes, 0, NULL);
    free(bytes);
    json_decref(written);
    lab_free(lab);
    assert_int_equal(topology_read(&t, root), 0);
    assert_true(topology_drawable(&t));
    assert_int_equal(topology_places(&places, &t), 0);
}

static int tear_down(void **state)
{
    (void)state;
    topology_places_fini(&places);
    topology_fini(&t);
    json_decref(root);
    root = NULL;
    return 0;
}

static const struct topology_spot *spot(const char *node)
{
    int i = topology_node(&t, node);
    assert_true(i >= 0);
    return &places.groups[t.nodes[i].group];
}

#define OFFICE                                                                                                         \
    "  sbc: {kind: sbc, outside: internet.10, inside: office.2}\n"                                                     \
    "  pbx: {kind: pbx, on: office.10, lines: {101: {password: a}, 102: {password: b}}}\n"                             \
    "  bob: {kind: phone, on: office.31, line: 102}\n"                                                                 \
    "steps: [{sleep: 1s}]\n"
#define NETWORKS                                                                                                       \
    "lab: t\nnetworks: {home: 192.168.1.0/24, internet: {subnet: 203.0.113.0/24, hops: 5}, office: "                   \
    "10.0.1.0/24}\nnodes:\n"

static void phones_stand_outside_and_the_office_on_the_right(void **state)
{
    (void)state;
    of_lab(NETWORKS "  alice: {kind: phone, on: home.20, line: 101}\n"
                    "  router: {kind: nat, inside: home.1, outside: internet.7}\n" OFFICE);
    assert_int_equal(spot("alice")->column, 0);
    assert_int_equal(places.networks[0].column, 1);
    assert_int_equal(spot("router")->column, 2);
    assert_int_equal(spot("sbc")->column, 4);
    assert_int_equal(places.networks[2].column, 5);
    assert_int_equal(spot("pbx")->column, 6);
    assert_int_equal(spot("bob")->column, 6);
    assert_int_equal(spot("bob")->row - spot("pbx")->row, TOPOLOGY_ROW);
    assert_int_equal(places.columns, 7);
    assert_int_equal(t.networks[1].hops, 5);
    assert_string_equal(t.networks[1].subnet, "203.0.113.0/24");
    assert_string_equal(t.nodes[1].ports[1].address, "203.0.113.7");
}

static void many_alike_are_one_group(void **state)
{
    (void)state;
    of_lab(NETWORKS "  phone: {kind: phone, count: 50, on: home.20, line: 200}\n"
                    "  alice: {kind: phone, on: home.90, line: 101}\n"
                    "  router: {kind: nat, inside: home.1, outside: internet.7}\n" OFFICE);
    assert_int_equal(t.nodes_n, 55);
    assert_int_equal(t.groups_n, 6);
    assert_int_equal(t.groups[0].n, 50);
    assert_ptr_equal(spot("phone1"), spot("phone50"));
    assert_ptr_not_equal(spot("phone1"), spot("alice"));
}

static void few_alike_stand_for_themselves(void **state)
{
    (void)state;
    of_lab(NETWORKS "  phone: {kind: phone, count: 4, on: home.20, line: 200}\n"
                    "  router: {kind: nat, inside: home.1, outside: internet.7}\n" OFFICE);
    assert_int_equal(t.groups_n, t.nodes_n);
    assert_int_equal(spot("phone4")->row - spot("phone1")->row, 3 * TOPOLOGY_ROW);
    assert_int_equal(spot("router")->row, (spot("phone1")->row + spot("phone4")->row) / 2);
}

static void an_address_has_one_owner_or_none(void **state)
{
    (void)state;
    of_lab(NETWORKS "  alice: {kind: phone, on: home.20, line: 101}\n"
                    "  router: {kind: nat, inside: home.1, outside: internet.7}\n" OFFICE);
    assert_int_equal(topology_owner(&t, SPAN("10.0.1.2:5060")), topology_node(&t, "sbc"));
    assert_int_equal(topology_owner(&t, SPAN("203.0.113.10")), topology_node(&t, "sbc"));
    assert_int_equal(topology_owner(&t, SPAN("203.0.113.1")), TOPOLOGY_NONE); /* the beginning of .10 */
    assert_int_equal(topology_owner(&t, SPAN("")), TOPOLOGY_NONE);
    assert_int_equal(topology_node(&t, "nobody"), TOPOLOGY_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(phones_stand_outside_and_the_office_on_the_right, tear_down),
        cmocka_unit_test_teardown(many_alike_are_one_group, tear_down),
        cmocka_unit_test_teardown(few_alike_stand_for_themselves, tear_down),
        cmocka_unit_test_teardown(an_address_has_one_owner_or_none, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
