/* The programs' main(): one kind of node on the real machine, by hand or in a lab.
 *
 *     farend-phone line=101 proxy=203.0.113.10 on=192.168.1.20
 *     farend-phone --settings alice.settings --json
 *     farend-nat inside=tun0:192.168.1.1/24 outside=tun1:203.0.113.7/24
 *
 * A word PORT=… attaches a port: an address (its interface is looked up), an interface (its address is looked up), or
 * both as INTERFACE:ADDRESS/BITS. Every other word PATH=VALUE is a setting of the kind's table. By hand the clock is
 * the machine's, commands come from standard input, the trace goes to standard output. In a lab (--lab) the clock, the
 * commands and the trace are the engine's (turn.h). */
#ifndef FAREND_HOST_MAIN_H
#define FAREND_HOST_MAIN_H

#include "nodes/node.h"

/* Returns the exit status: 0 the node ended by itself or by a signal; 2 the command line or a setting is wrong (the
 * sentence is on standard error); 3 this machine cannot run it; otherwise what the node gave to host_exit(). */
int host_main(const struct node_kind *kind, int argc, char **argv);

#endif
