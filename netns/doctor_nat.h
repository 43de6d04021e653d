/* What `engine: kernel` needs of the kernel, tried in the namespace where this process is; nothing of it stays when the
 * namespace goes. True, or false and what is missing. */
#ifndef FAREND_NETNS_DOCTOR_NAT_H
#define FAREND_NETNS_DOCTOR_NAT_H

#include "nodes/base/text.h"

#include <stdbool.h>

bool doctor_try_nat(struct text *found); /* nf_tables, ctnetlink, nfnetlink_log */
bool doctor_try_alg(struct text *found); /* nf_nat_sip */

#endif
