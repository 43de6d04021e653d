#include "nodes/secure/tls_alert.h"

#include "nodes/secure/secure_library.h"

enum { RECORD_HEAD = 5, RECORD_ALERT = 21, RECORD_DATA = 23 };

static const struct {
    uint8_t number;
    const char *name;
} alerts[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
};

const char *tls_alert_name(uint8_t alert)
{
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
        if (alerts[i].number == alert)
            return alerts[i].name;
    return "alert";
}

static const struct {
    int error;
    uint8_t alert;
    const char *why;
} errors[] = {
    {MBEDTLS_ERR_SSL_INVALID_RECORD, MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, "what the peer sent is no TLS record"},
    {MBEDTLS_ERR_SSL_INVALID_MAC, MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC, "a record was changed on its way"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE,
     "the peer sent a message that does not belong here"},
    {MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the peer wants something that is not spoken here"},
#if SECURE_MBEDTLS_3
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION,
     "the two sides have no TLS version in common"},
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the two sides have no parameters in common"},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, "the peer sent a malformed message"},
    {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER,
     "the peer chose what was not offered to it"},
    {MBEDTLS_ERR_SSL_BAD_CERTIFICATE, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "the peer's certificate cannot be used"},
    {MBEDTLS_ERR_SSL_PRIVATE_KEY_REQUIRED, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "no certificate of this side suits the peer"},
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the client has shown no certificate"},
#else
    {MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION, MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION,
     "the two sides have no TLS version in common"},
    {MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the two sides have no cipher suite in common"},
    {MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the two sides have no cipher suite in common that suits the certificate"},
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the client has shown no certificate"},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "the peer's certificate cannot be used"},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE_VERIFY, MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR,
     "the client does not have the private key of its certificate"},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_KEY_EXCHANGE, MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR,
     "the server's key exchange is malformed, or it does not have the private key of its certificate"},
    {MBEDTLS_ERR_SSL_BAD_HS_FINISHED, MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR,
     "the two sides have not seen the same handshake"},
    {MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO, MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, "the client's hello is malformed"},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_HELLO, MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER,
     "the server's hello is malformed or answers what was not asked"},
#endif
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR, "out of memory"},
};

uint8_t tls_alert_for(int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].error == error)
            return errors[i].alert;
    return MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
}

const char *tls_alert_why(int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].error == error)
            return errors[i].why;
    return "what the peer sent cannot be used";
}

uint8_t tls_alert_in(struct span records, bool hidden)
{
    const uint8_t *p = (const uint8_t *)records.p;
    uint8_t found = TLS_NO_ALERT;
    for (size_t i = 0; i + RECORD_HEAD <= records.n;) {
        size_t n = (size_t)(p[i + 3] << 8 | p[i + 4]);
        bool whole = i + RECORD_HEAD + n <= records.n;
        found = TLS_NO_ALERT;
        if (p[i] == RECORD_ALERT)
            found = n == 2 && whole ? p[i + RECORD_HEAD + 1] : TLS_ALERT_UNREADABLE;
        else if (hidden && p[i] == RECORD_DATA)
            found = TLS_ALERT_UNREADABLE;
        i += RECORD_HEAD + n;
    }
    return found;
}
