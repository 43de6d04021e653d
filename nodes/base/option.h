/* Settings of a node, declared once in a table: the lab file's checker, the JSON Schema, the programs' command line and
 * their help are all read from it.
 *
 *     static const struct option phone_options[] = {
 *         {"line", OPT_TEXT, OPTION_AT(struct phone_settings, line), .help = "extension number"},
 *         {"expires", OPT_TIME, OPTION_AT(struct phone_settings, expires), .def = "3600s", .help = "…"},
 *         {0}};
 *
 * A setting is addressed by its path: "expires", or "lines.101.password" inside an OPT_MAP. Where the names of a map
 * have dots themselves (`dotted`), the last dot ends the name: "records.sbc.example.com.ttl". */
#ifndef FAREND_BASE_OPTION_H
#define FAREND_BASE_OPTION_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPT_FLAG,        /* bool: yes, no */
    OPT_COUNT,       /* uint32_t within min and max (max 0: no bound) */
    OPT_TIME,        /* lab_time, with its unit; min and max in ns (max 0: no bound) */
    OPT_TEXT,        /* char[size], NUL-terminated */
    OPT_ADDR,        /* ipv4 */
    OPT_ENDPOINT,    /* struct endpoint; without a port the option's `port`. With `host`, a domain name too */
    OPT_SUBNET,      /* struct subnet */
    OPT_CHOICE,      /* int: index into `choices` */
    OPT_RATIO,       /* uint32_t, ppm */
    OPT_PORTS,       /* struct port_range: 10000-20000 */
    OPT_LIST,        /* struct option_items: values of the one option that `each` points to */
    OPT_MAP,         /* struct option_items: name -> the options in `each`; the first option of `each` is an OPT_TEXT at
                        offset 0 with the name "" and receives the name */
    OPT_CERTIFICATE, /* char *, owned by the settings: certificates or a private key as PEM or in one line
                        (nodes/secure/pki_text.h); NULL: none. By hand the value names a PEM file; in a lab file it
                        names certificates of the section `certificates`, of which `part` is taken */
};

/* What of a lab's certificate an OPT_CERTIFICATE takes. */
enum option_part {
    OPTION_CHAIN,   /* the certificate, and its intermediate where the lab does not leave it out */
    OPTION_KEY,     /* its private key */
    OPTION_ISSUERS, /* what it was issued by: intermediate and root. Names may be a list */
    OPTION_TRUST,   /* the certificate alone, to trust it. Names may be a list */
};

struct port_range {
    uint16_t low, high; /* both included */
};

/* Growing array of an OPT_LIST or OPT_MAP: n elements of each_size bytes. Owned by the settings. */
struct option_items {
    void *items;
    size_t n;
    uint32_t *slots; /* OPT_MAP: option.c's own, from a name's hash to its element */
    size_t slots_n;
};

struct option {
    const char *name; /* NULL ends a table */
    enum option_type type;
    size_t at;   /* offset in the settings struct */
    size_t size; /* of the field there */
    const char *help;
    const char *def;            /* text of the default; NULL: zero */
    const char *const *choices; /* OPT_CHOICE: NULL-terminated */
    const struct option *each;  /* OPT_LIST, OPT_MAP */
    size_t each_size;
    int64_t min, max;
    /* OPT_ADDR, OPT_ENDPOINT: in a lab file a node of this kind may be named instead ("*": any kind) */
    const char *node;
    const char *const *choices_help; /* OPT_CHOICE: what each choice means, in the order of `choices`; NULL: they say */
    size_t given;                    /* offset of a bool that tells whether the user set this; 0: nobody asks */
    uint16_t port;                   /* OPT_ENDPOINT: the default port */
    enum option_part part;           /* OPT_CERTIFICATE */
    const char *with; /* OPT_CERTIFICATE: where a lab file does not give this setting, it names what that setting of the
                         same table names: a certificate comes with its key. NULL: it is none */
    bool needed;      /* no default: must be given */
    /* OPT_TEXT with a grammar of its own: 0, or FE_ESYNTAX or FE_ERANGE; NULL: any text is right */
    int (*check)(struct span value);
    const char *expects; /* OPT_TEXT with `check`: what is right, for messages: "a name, as …" */
    bool dotted;         /* OPT_MAP: names may have dots */
    /* OPT_ENDPOINT: offset of a char[OPTION_HOST] that takes a domain name (with a dot) given in place of an address;
     * the endpoint's address is 0 then, and so is the port of a name that has none. 0: only addresses are right */
    size_t host;
    bool own; /* OPT_ADDR, or a list of them: what is sent to this address comes to the node */
};

enum { OPTION_HOST = 254 }; /* room for a domain name and NUL */

#define OPTION_AT(type, field) offsetof(type, field), sizeof(((type *)0)->field)

/* Settings with their defaults, `size` bytes, zeroed first; NULL without memory. */
void *options_new(const struct option *table, size_t size);
void options_free(const struct option *table, void *settings);

/* Is this a value of an OPT_CERTIFICATE as it stands, and not the name of a file? */
bool option_is_certificate(struct span value);

/* Sets one value. On failure 0 bytes of the settings changed, and `why` (may be NULL) receives a sentence: what was
 * wrong, what was expected, the nearest spelling. FE_EUNKNOWN: no such option; FE_ESYNTAX, FE_ERANGE: bad value. */
int options_set(const struct option *table, void *settings, struct span path, struct span value, struct text *why);

/* The first option that is needed and was never set (its field is all zero), or NULL. */
const struct option *options_missing(const struct option *table, const void *settings);

/* The option that a path leads to, or NULL. `lines.101.password` leads to `password`. */
const struct option *options_find(const struct option *table, struct span path);

/* "a time with its unit, as 30s or 1.5min", for messages and the help. */
const char *option_expects(const struct option *o);

#endif
