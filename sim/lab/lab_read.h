/* The stages of reading a lab, for lab.c alone. Each returns 0, FE_EMEM, or FE_ESYNTAX when the next stages could only
 * complain about what follows from this one's problems. */
#ifndef FAREND_LAB_READ_H
#define FAREND_LAB_READ_H

#include "sim/lab/lab.h"

extern const struct field lab_form[];     /* the top of the file */
extern const struct field network_form[]; /* a network */
extern const struct field port_form[];    /* an attachment in its long form */
extern const struct field node_form[];    /* what every node may have beside its kind's ports and settings */

/* What every host has to take (RFC 1122 §3.3.2). Below it Linux's TCP has rules of its own. */
enum { LAB_PORT_MTU_MIN = 576, LAB_PORTS_MAX = 16 };

int lab_read_networks(struct lab *lab, const struct doc *networks);
int lab_read_nodes(struct lab *lab, const struct doc *nodes); /* kinds, attachments */
int lab_check_networks(struct lab *lab);                      /* addresses, ends, gateways: once the nodes are known */
int lab_read_settings(struct lab *lab);                       /* settings and their defaults */
int lab_make_plan(struct lab *lab);                           /* nodes, ports, wires, switches, chains */
int lab_make_routes(struct lab *lab);                         /* once the plan has its ports and chains */
/* Gives a router that knows no way out of the lab one more port, "beyond", whose wire ends nowhere: what has no route
 * is dropped there as "no-such-host", on the wire "<owner>.beyond". (Left to the kernel it would be answered by ICMP at
 * a rate that depends on real time: such runs would differ.) Returns the port, or FE_EMEM. */
int lab_add_beyond(struct lab *lab, unsigned node, const char *owner);
int lab_read_steps(struct lab *lab, const struct doc *steps, const struct doc *expect);
/* Steps beside the lab's own. FE_EMEM. */
int lab_read_more_steps(struct lab *lab, const struct doc *steps, struct step_list *out);

/* A file beside the lab's or below, by its name there; into the arena. *path (may be NULL) is how it is called for
 * people. FE_EREFUSED: the lab is no file, or the name leads elsewhere; FE_EOS: it cannot be read; FE_EMEM. */
int lab_file_beside(struct lab *lab, const char *name, const char **path, struct span *text);

/* All of a file, on the heap: *text is the caller's, also after an error. FE_EOS, FE_EMEM. */
int lab_file_read(FILE *f, char **text, size_t *n);

static inline struct form_reader lab_reader(struct lab *lab)
{
    return (struct form_reader){&lab->arena, &lab->problems};
}

/* A name for a node or network: letters, digits, "-" and "_", 1 to 40. False after a problem. */
bool lab_check_name(struct lab *lab, const struct doc *key, const char *what);

/* The node or network that a text names; -1 after a problem. */
int lab_find_node(struct lab *lab, const struct doc *name);
int lab_find_network(struct lab *lab, const struct doc *name);

#endif
