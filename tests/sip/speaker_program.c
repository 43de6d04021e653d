/* farend-speaker, the program of a kind that tests make up, as nodes/host/main.c is those of the others. */
#include "nodes/host/host_main.h"
#include "tests/sip/speaker.h"

int main(int argc, char **argv)
{
    return host_main(&speaker_kind, argc, argv);
}
