/* farend-asker, and farend-dns beside it: the programs of tests/netns/test_dns_parity.c. */
#include "nodes/host/host_main.h"
#include "tests/netns/dns_kinds.h"

int main(int argc, char **argv)
{
    return host_main(&FAREND_TEST_KIND, argc, argv);
}
