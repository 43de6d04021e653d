#include "sim/lab/lab_certificate.h"

#include "nodes/base/error.h"
#include "nodes/base/units.h"
#include "nodes/secure/pki.h"
#include "nodes/secure/pki_text.h"
#include "nodes/secure/tls.h"
#include "sim/lab/lab_read.h"

#include <stdlib.h>

#define AT(member) offsetof(struct certificate, member)

enum { HOURS = 3600, DAYS = 24 * HOURS };
enum { ROOT_FROM = -3650 * DAYS, ROOT_VALID = 7300 * DAYS, ISSUED_FROM = -1 * DAYS, ISSUED_VALID = 365 * DAYS };
enum { LIFE_MAX = 100 * 366 }; /* days, of what may be written */
enum intermediate { INTERMEDIATE_NO, INTERMEDIATE_YES, INTERMEDIATE_MISSING };

static const char *const intermediate_words[] = {"no", "yes", "missing", NULL};
static const char *const use_words[] = {"both", "server", "client", NULL};
static const unsigned use_bits[] = {PKI_SERVER | PKI_CLIENT, PKI_SERVER, PKI_CLIENT};

/* The word in place of a root's name. */
#define ITSELF "itself"

struct certificate {
    const char *name;
    struct place at;
    bool root;
    /* as it is written */
    const char *subject;
    const struct doc *by, *names, *from, *valid;
    int intermediate, key, use;
    /* as it is meant */
    struct certificate *issuer; /* NULL: itself */
    struct pki_request want;
    struct pki_entity *made;             /* NULL: not needed yet */
    struct pki_entity *below;            /* of a root: its intermediate authority; NULL: not needed yet */
    const char *texts[OPTION_TRUST + 1]; /* by part; NULL: not needed yet */
};

struct lab_certificates {
    struct certificate *items;
    size_t n;
    struct names names;
};

/* The part of the forms that both have. */
#define COMMON_FIELDS                                                                                                  \
    {"subject", FIELD_TEXT, AT(subject), .help = "the common name; the first of its names, or its own, unless said"},  \
        {"key", FIELD_CHOICE, AT(key), .choices = pki_key_words, .help = "p256 (unless said), or rsa of 2048 bits"},   \
        {"from", FIELD_ANY, AT(from), .means = "moment", .help = "begins to be valid then, after the lab's start"},    \
    {                                                                                                                  \
        "valid", FIELD_ANY, AT(valid), .means = "moment", .help = "for so long"                                        \
    }

const struct field lab_root_form[] = {COMMON_FIELDS, {0}};

const struct field lab_issued_form[] = {
    COMMON_FIELDS,
    {"by", FIELD_NAME, AT(by), .needed = true, .help = "the root that issued it; itself: self-signed"},
    {"intermediate", FIELD_CHOICE, AT(intermediate), .choices = intermediate_words,
     .help = "issued by an authority below the root, whose certificate is shown (yes) or not (missing)"},
    {"names", FIELD_ANY, AT(names), .means = "some", .help = "whom it is for: domain names and addresses (SAN)"},
    {"use", FIELD_CHOICE, AT(use), .choices = use_words, .help = "extended key usage; both unless said"},
    {0}};

struct section {
    const struct doc *roots, *issued;
};

const struct field lab_certificates_form[] = {
    {"roots", FIELD_ANY, offsetof(struct section, roots), .means = "roots", .help = "authorities that sign themselves"},
    {"issued", FIELD_ANY, offsetof(struct section, issued), .means = "issued", .help = "certificates of nodes"},
    {0}};

/* ---- reading ---- */

/* "-10d", "90d": whole seconds. */
static void moment_read(struct lab *lab, const struct doc *d, bool may_be_negative, int64_t *seconds)
{
    struct span s = span_of(d ? d->text : NULL);
    bool negative = s.n && s.p[0] == '-';
    lab_time t = 0;
    if (!d)
        return;
    bool ok = d->type == DOC_TEXT && (!negative || may_be_negative);
    if (ok)
        ok = units_time((struct span){s.p + negative, s.n - negative}, &t) == 0 && t % SEC == 0 &&
             t / SEC <= (lab_time)LIFE_MAX * DAYS;
    if (ok)
        *seconds = negative ? -(t / SEC) : t / SEC;
    else
        problem(&lab->problems, d->at,
                may_be_negative ? "expected a time of whole seconds, as -10d or 0"
                                : "expected a time of whole seconds, as 90d");
}

static const struct doc *name_at(const struct doc *names, size_t i)
{
    return names->type == DOC_LIST ? names->entries[i].value : names;
}

static int names_read(struct lab *lab, struct certificate *c)
{
    size_t n = !c->names ? 0 : c->names->type == DOC_LIST ? c->names->n : 1;
    struct span *spans = arena_new(&lab->arena, n * sizeof *spans);
    if (!spans)
        return FE_EMEM;
    for (size_t i = 0; i < n; i++) {
        const struct doc *name = name_at(c->names, i);
        const char *text = name->type == DOC_TEXT ? name->text : "";
        if (pki_name_ok(span_of(text)))
            spans[c->want.names_n++] = span_of(text);
        else
            problem(&lab->problems, name->at, "\"", text, "\" is neither a domain name nor an IPv4 address");
    }
    c->want.names = spans;
    return 0;
}

/* CT-3: the common name is the first of the names. */
static struct span subject_of(const struct certificate *c)
{
    return c->subject ? span_of(c->subject) : c->want.names_n ? c->want.names[0] : span_of(c->name);
}

static int request_make(struct lab *lab, struct certificate *c)
{
    int64_t from = c->root ? ROOT_FROM : ISSUED_FROM;
    int64_t valid = c->root ? ROOT_VALID : ISSUED_VALID;
    char buf[PROBLEM_TEXT];
    struct text why = text_on(buf, sizeof buf);
    if (names_read(lab, c))
        return FE_EMEM;
    moment_read(lab, c->from, true, &from);
    moment_read(lab, c->valid, false, &valid);
    c->want.subject = subject_of(c);
    c->want.key = (enum pki_key)c->key;
    c->want.not_before = LAB_BEGINS + from;
    c->want.not_after = c->want.not_before + valid;
    c->want.ca = c->root;
    c->want.depth = -1;
    c->want.uses = use_bits[c->use];
    if (pki_check(&c->want, &why))
        problem(&lab->problems, c->at, buf);
    return 0;
}

static int certificate_read(struct lab *lab, struct certificate *c, const struct doc_entry *e, bool root)
{
    struct form_reader reader = lab_reader(lab);
    *c = (struct certificate){.name = e->key->text, .at = e->key->at, .root = root};
    lab_check_name(lab, e->key, "certificate");
    if (names_find(&lab->certificates->names, span_of(c->name)) >= 0 || strcmp(c->name, ITSELF) == 0 ||
        strcmp(c->name, "none") == 0)
        problem(&lab->problems, e->key->at, "\"", c->name, "\" is taken; expected another name");
    bool empty = e->value->type == DOC_TEXT && !*e->value->text; /* "public-ca:" alone */
    if (!(root && empty) && form_read(&reader, e->value, root ? lab_root_form : lab_issued_form, c) & FORM_BAD)
        return 0;
    return request_make(lab, c);
}

static int part_read(struct lab *lab, const struct doc *d, const char *what, bool root)
{
    struct lab_certificates *all = lab->certificates;
    size_t first = all->n;
    if (!d)
        return 0;
    if (d->type != DOC_MAP) {
        problem(&lab->problems, d->at, "expected ", what);
        return 0;
    }
    for (size_t i = 0; i < d->n; i++)
        if (certificate_read(lab, &all->items[all->n++], &d->entries[i], root))
            return FE_EMEM;
    for (size_t i = first; i < all->n; i++)
        if (names_add(&lab->arena, &all->names, all->items[i].name, (unsigned)i))
            return FE_EMEM;
    names_sort(&all->names);
    return 0;
}

static void issuer_find(struct lab *lab, struct certificate *c)
{
    struct lab_certificates *all = lab->certificates;
    if (!c->by)
        return;
    if (c->by->type == DOC_TEXT && strcmp(c->by->text, ITSELF) == 0) {
        if (c->intermediate != INTERMEDIATE_NO)
            problem(&lab->problems, c->by->at, "a self-signed certificate has no intermediate");
        return;
    }
    int i = c->by->type == DOC_TEXT ? names_find(&all->names, span_of(c->by->text)) : -1;
    if (i < 0 || !all->items[i].root)
        problem(&lab->problems, c->by->at, "there is no root \"", c->by->type == DOC_TEXT ? c->by->text : "…", "\"",
                i < 0 && c->by->type == DOC_TEXT ? names_hint(&lab->arena, &all->names, c->by->text) : "");
    else
        c->issuer = &all->items[i];
}

int lab_read_certificates(struct lab *lab, const struct doc *section)
{
    struct form_reader reader = lab_reader(lab);
    struct section s = {0};
    struct lab_certificates *all = arena_new(&lab->arena, sizeof *all);
    if (!all)
        return FE_EMEM;
    lab->certificates = all;
    if (!section || form_read(&reader, section, lab_certificates_form, &s) & FORM_BAD)
        return 0;
    size_t most = (s.roots ? s.roots->n : 0) + (s.issued ? s.issued->n : 0);
    all->items = arena_new(&lab->arena, most * sizeof all->items[0]);
    if (!all->items)
        return FE_EMEM;
    if (part_read(lab, s.roots, "roots here, as {public-ca: {}}", true) ||
        part_read(lab, s.issued, "certificates here, as {sbc: {by: public-ca}}", false))
        return FE_EMEM;
    for (size_t i = 0; i < all->n; i++)
        issuer_find(lab, &all->items[i]);
    return 0;
}

void lab_certificates_free(struct lab_certificates *c)
{
    for (size_t i = 0; c && i < c->n; i++) {
        pki_free(c->items[i].made);
        pki_free(c->items[i].below);
    }
}

/* ---- making ---- */

static int issue(const struct lab *lab, const struct certificate *c, const struct pki_request *want,
                 struct pki_entity *by, const char *purpose, struct pki_entity **out)
{
    struct prng random;
    prng_init(&random, lab->seed, span_of(c->name), span_of(purpose));
    return pki_issue(want, by, &random, out, NULL);
}

static int make(struct lab *lab, struct certificate *c);

/* The authority below a root: valid as long as it, with a name of its own. */
static int make_below(struct lab *lab, struct certificate *root)
{
    char subject[PKI_SUBJECT_MAX + 1];
    struct text t = text_on(subject, sizeof subject);
    struct pki_request want = root->want;
    const struct span suffix = SPAN(" intermediate");
    size_t room = PKI_SUBJECT_MAX - suffix.n;
    text_put(&t, span_make(want.subject.p, want.subject.n < room ? want.subject.n : room));
    text_put(&t, suffix);
    want.subject = text_span(&t);
    want.names_n = 0;
    want.depth = 0;
    return issue(lab, root, &want, root->made, "intermediate", &root->below);
}

static int make(struct lab *lab, struct certificate *c)
{
    struct certificate *root = c->issuer;
    int error = 0;
    if (c->made)
        return 0;
    if (root)
        error = make(lab, root);
    if (!error && root && c->intermediate != INTERMEDIATE_NO && !root->below)
        error = make_below(lab, root);
    if (error)
        return error;
    struct pki_entity *by = !root ? NULL : c->intermediate != INTERMEDIATE_NO ? root->below : root->made;
    return issue(lab, c, &c->want, by, "certificate", &c->made);
}

/* ---- texts ---- */

enum { DERS_MAX = 2 };

static size_t parts_of(const struct certificate *c, enum option_part part, struct span ders[DERS_MAX])
{
    size_t n = 0;
    switch (part) {
    case OPTION_CHAIN:
        ders[n++] = pki_certificate(c->made);
        if (c->intermediate == INTERMEDIATE_YES)
            ders[n++] = pki_certificate(c->issuer->below);
        break;
    case OPTION_KEY: ders[n++] = pki_private_key(c->made); break;
    case OPTION_ISSUERS:
        if (c->intermediate == INTERMEDIATE_YES)
            ders[n++] = pki_certificate(c->issuer->below);
        ders[n++] = pki_certificate(c->issuer ? c->issuer->made : c->made);
        break;
    case OPTION_TRUST: ders[n++] = pki_certificate(c->made); break;
    }
    return n;
}

/* What a node gets of one certificate; NULL without memory. */
static const char *text_of(struct lab *lab, struct certificate *c, enum option_part part)
{
    struct span ders[DERS_MAX];
    size_t bytes = 0;
    if (c->texts[part])
        return c->texts[part];
    if (make(lab, c))
        return NULL;
    size_t n = parts_of(c, part, ders);
    for (size_t i = 0; i < n; i++)
        bytes += ders[i].n;
    size_t room = pki_text_room(n, bytes);
    char *p = arena_new(&lab->arena, room);
    if (!p)
        return NULL;
    struct text t = text_on(p, room);
    pki_text_line(&t, ders, n);
    c->texts[part] = p;
    return p;
}

/* Stands for a certificate in a lab that is refused anyway, so that nobody complains about its absence too. */
static const char unmade[] = "base64:";

static struct certificate *find(struct lab *lab, const struct option *o, const struct doc *value)
{
    struct lab_certificates *all = lab->certificates;
    int i = value->type == DOC_TEXT ? names_find(&all->names, span_of(value->text)) : -1;
    if (i >= 0)
        return &all->items[i];
    if (all->n || !lab->problems.n) /* else the section itself could not be read */
        problem(&lab->problems, value->at, o->name, ": \"", value->type == DOC_TEXT ? value->text : "…",
                "\" is not among the lab's certificates",
                value->type == DOC_TEXT ? names_hint(&lab->arena, &all->names, value->text) : "");
    return NULL;
}

static const char *one_text(struct lab *lab, const struct option *o, const struct doc *value)
{
    struct certificate *c = find(lab, o, value);
    return c && !lab->problems.n ? text_of(lab, c, o->part) : unmade;
}

/* "base64:A" and "base64:B" are "base64:A,B". */
static const char *joined(struct lab *lab, const char *line, const char *more)
{
    return line ? arena_text(&lab->arena, line, ",", more + sizeof unmade - 1) : more;
}

static const char *list_text(struct lab *lab, const struct option *o, const struct doc *list)
{
    const char *line = NULL;
    for (size_t i = 0; i < list->n; i++) {
        const char *more = one_text(lab, o, list->entries[i].value);
        line = more ? joined(lab, line, more) : NULL;
        if (!line)
            return NULL;
    }
    return list->n ? line : "none";
}

const char *lab_certificate_text(struct lab *lab, const struct option *o, const struct doc *value)
{
    bool several = o->part == OPTION_TRUST || o->part == OPTION_ISSUERS;
    if (value->type == DOC_LIST && several)
        return list_text(lab, o, value);
    if (value->type == DOC_TEXT && strcmp(value->text, "none") == 0)
        return value->text;
    if (value->type == DOC_TEXT)
        return one_text(lab, o, value);
    problem(&lab->problems, value->at, o->name, ": expected the name of a certificate of the lab",
            several ? ", a list of such names" : "", " or none");
    return unmade;
}
