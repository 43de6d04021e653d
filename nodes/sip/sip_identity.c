#include "nodes/sip/sip_identity.h"

int sip_identity_context(struct host *h, const struct sip_identity *identity, enum tls_role role, const char *purpose,
                         struct tls_context **out, struct text *why)
{
    char unread[256];
    struct text nowhere = text_on(unread, sizeof unread);
    struct tls_config config = tls_config_of(role);
    struct prng random;
    host_stream(h, purpose, &random);
    config.certificate = span_of(identity->certificate);
    config.key = span_of(identity->key);
    config.trust = span_of(identity->trust);
    config.ask = (enum tls_ask)identity->ask;
    config.least = (enum tls_version)identity->least;
    config.most = (enum tls_version)identity->most;
    config.verify_name = identity->verify_name;
    return tls_context_new(&config, &random, host_clock(h), out, why ? why : &nowhere);
}

const char *sip_identity_conflict(const struct sip_identity *identity, const struct sip_identity_words *words,
                                  struct text *why)
{
    if (!identity->certificate || !identity->key) {
        text_str(why, "who listens on TLS shows a certificate; this names it");
        return words->certificate;
    }
    if (identity->ask == TLS_REQUIRE_CERTIFICATE && !identity->trust) {
        text_str(why, "clients have to show a certificate, and this says whose are accepted; or else set \"");
        text_str(why, words->ask);
        text_str(why, "\" to no");
        return words->trust;
    }
    if (identity->least > identity->most) {
        text_str(why, "it is below the least version");
        return words->most;
    }
    return NULL;
}
