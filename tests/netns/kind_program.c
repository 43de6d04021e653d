/* The programs of the test kinds: farend-talker, farend-mirror, farend-trouble, farend-crafter, as nodes/host/main.c is
 * those of the others. */
#include "nodes/host/host_main.h"
#include "tests/netns/crafter.h"
#include "tests/netns/kinds.h"

int main(int argc, char **argv)
{
    return host_main(&FAREND_TEST_KIND, argc, argv);
}
