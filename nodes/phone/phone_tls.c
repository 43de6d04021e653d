#include "nodes/phone/phone_tls.h"

#include "nodes/phone/phone.h"

int phone_tls_open(struct phone *p, enum tls_role role, struct tls_context **out, struct text *why)
{
    const struct phone_settings *s = p->settings;
    struct tls_config config = tls_config_of(role);
    struct prng random;
    host_stream(p->host, role == TLS_CLIENT ? "tls" : "tls server", &random);
    config.certificate = span_of(s->certificate ? s->certificate : "");
    config.intermediates = span_of(s->intermediates ? s->intermediates : "");
    config.key = span_of(s->key ? s->key : "");
    config.trust = span_of(s->trust ? s->trust : "");
    config.least = (enum tls_version)s->least_tls;
    config.most = (enum tls_version)s->most_tls;
    config.verify_name = s->verify_name;
    return tls_context_new(&config, &random, host_clock(p->host), out, why);
}

/* What a connection of the phone cannot do without; `all`: plain TLS, PH-3. */
static const char *missing(const struct phone_settings *s, bool all)
{
    if (!s->trust)
        return "trusted certificates";
    if (all && !s->intermediates)
        return "root and intermediate certificates";
    if (!s->certificate && (all || s->key))
        return "local certificate";
    if (!s->key && (all || s->certificate))
        return "private key";
    return NULL;
}

const char *phone_tls_conflict(const struct phone_settings *s, struct text *why)
{
    bool all = s->transport == PHONE_BY_TLS && !s->persistent_tls;
    const char *setting = missing(s, all);
    if (setting) {
        text_str(why, all ? "TLS without \"persistent tls\" needs root and intermediate certificates, a local "
                            "certificate, its private key and trusted certificates; these are missing: "
                          : "TLS cannot do without: ");
        text_str(why, setting);
        return setting;
    }
    if (s->least_tls > s->most_tls) {
        text_str(why, "it is below the least version");
        return "most tls version";
    }
    return NULL;
}
