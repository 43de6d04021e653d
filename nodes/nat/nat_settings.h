/* The nat node's settings: the table that the lab file, the command line and the help read, and what they come down to.
 */
#ifndef FAREND_NAT_SETTINGS_H
#define FAREND_NAT_SETTINGS_H

#include "nodes/base/option.h"
#include "nodes/base/text.h"
#include "nodes/nat/nat.h"
#include "nodes/nat/nat_alg.h"
#include "nodes/nat/nat_pcp.h"

/* Of the SIP ALG (nat_alg.h). */
struct nat_alg_settings {
    int mode; /* enum nat_alg_mode */
    uint32_t port;
    bool via, contact, restores;
    int sdp;      /* enum nat_alg_sdp */
    int pinholes; /* enum nat_alg_pinholes */
    int length;   /* 0: fix, 1: keep */
    int too_big;  /* 0: fragment, 1: drop */
    lab_time pinhole_timeout;
};

enum nat_alg_mode { NAT_ALG_OFF, NAT_ALG_REWRITE, NAT_ALG_STRICT, NAT_ALG_KERNEL };

struct nat_settings {
    lab_time udp_timeout, udp_unreplied, icmp_timeout, tcp_timeout, tcp_transitory, tcp_closing, reuse_delay, leak;
    lab_time pcp_least, pcp_most;
    int preset;
    int mapping, filtering; /* enum nat_dependence */
    int ports;              /* enum nat_ports */
    int refresh;            /* 0: outbound, 1: both */
    int pooling;            /* 0: paired, 1: arbitrary */
    int hairpin_source;     /* 0: external, 1: internal */
    int refuse;             /* enum nat_refusal */
    int syn;                /* 0: hold, 1: drop */
    struct port_range port_range;
    uint32_t quota, block, blocks, reuse_ports, mss;
    bool parity, contiguity, overload, hairpin, pcp;
    struct option_items forward; /* struct nat_forward_settings */
    struct nat_alg_settings alg;
    struct option_items pool;    /* ipv4 */
    struct option_items reserve; /* ipv4 */
    struct option_items exempt;  /* struct subnet */
    ipv4 one_to_one, dmz;
    int engine; /* enum nat_engine_choice */
    struct {    /* by the user, so that a preset leaves it alone */
        bool udp_timeout, udp_unreplied, icmp_timeout, tcp_timeout, tcp_transitory, tcp_closing, reuse_delay;
        bool mapping, filtering, ports, refresh, pooling, hairpin_source, syn, port_range, quota, block, blocks;
        bool reuse_ports, mss, parity, contiguity, overload, hairpin, refuse, pcp;
    } given;
};

enum nat_engine_choice { NAT_BY_FAREND, NAT_BY_KERNEL };

struct nat_forward_settings {
    char name[32];
    int proto; /* 0: udp, 1: tcp */
    uint32_t port;
    struct endpoint to; /* port 0: the same port */
};

extern const struct option nat_options[];

/* The names of the presets and what each sets, in the same order: "name value, name value, …". */
extern const char *const nat_preset_names[];
extern const char *const nat_preset_settings[];

/* Sets what the preset says and the user does not. Before all that follows but nat_settings_conflict, which may be
 * asked before and after. */
void nat_settings_preset(struct nat_settings *s);

/* *config has `own` and `mtu`; fills in the rest. On failure FE_ERANGE, and why says what does not go together:
 * "setting: reason". */
int nat_settings_config(const struct nat_settings *s, struct nat_config *config, struct text *why);

/* Only what nat_configure() takes. */
void nat_settings_behaviour(const struct nat_settings *s, struct nat_config *config);

void nat_settings_pcp(const struct nat_settings *s, struct nat_pcp_config *config);

void nat_settings_alg(const struct nat_alg_settings *s, struct nat_alg_config *config);

/* Makes the port forwards. FE_EMEM, FE_ERANGE, FE_EUSED, with the reason. */
int nat_settings_forwards(const struct nat_settings *s, struct nat *nat, struct text *why);

/* "udp timeout 30s": one of the settings that may change while the NAT runs. FE_EUNKNOWN, or as options_set. */
int nat_settings_change(struct nat_settings *s, struct span assignment, struct text *why);

/* "203.0.113.8": the address that a "set public" names, one of `public`, `reserve` or the NAT's own. FE_ESYNTAX,
 * FE_ERANGE. */
int nat_settings_public(const struct nat_settings *s, ipv4 own, struct span text, ipv4 *out, struct text *why);

/* ---- `engine: kernel` (nat_settings_kernel.c), for struct node_kind ---- */
bool nat_settings_forwards_itself(const void *settings);
const char *nat_settings_conflict(const void *settings, struct text *why);

/* What the kernel is told; *config is that of nat_settings_config. FE_ERANGE and a sentence. */
struct host_knat_config;
int nat_settings_kernel(const struct nat_settings *s, const struct nat_config *config, struct host_knat_config *out,
                        struct text *why);

#endif
