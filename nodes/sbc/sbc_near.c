#include "nodes/sbc/sbc_near.h"

enum { NEIGHBOURHOOD = 24 }; /* prefix length of one home's network */

static bool neighbours(ipv4 a, ipv4 b)
{
    return a != b && subnet_has((struct subnet){a, NEIGHBOURHOOD}, b);
}

bool sbc_near(enum sbc_same_nat policy, struct sbc_place a, struct sbc_place b)
{
    if (a.seen != b.seen || a.written == 0 || b.written == 0)
        return false;
    switch (policy) {
    case SBC_SAME_NAT_RELAY: return false;
    case SBC_SAME_NAT_DIRECT: return true;
    case SBC_SAME_NAT_AUTO: return neighbours(a.written, b.written);
    }
    return false;
}
