/* The main() of every node program; FAREND_KIND is the kind's constant, given by the build. */
#include "nodes/host/host_main.h"

extern const struct node_kind FAREND_KIND;

int main(int argc, char **argv)
{
    return host_main(&FAREND_KIND, argc, argv);
}
