/* Names of headers, methods, transports and statuses, and the way back from a name to its id. */
#include "nodes/proto/sip_msg.h"

#include <assert.h>

#define NAME(text)                                                                                                     \
    {                                                                                                                  \
        (text), sizeof(text) - 1                                                                                       \
    }

static const struct span header_names[] = {
    [SIP_H_ACCEPT] = NAME("Accept"),
    [SIP_H_ACCEPT_ENCODING] = NAME("Accept-Encoding"),
    [SIP_H_ACCEPT_LANGUAGE] = NAME("Accept-Language"),
    [SIP_H_ALERT_INFO] = NAME("Alert-Info"),
    [SIP_H_ALLOW] = NAME("Allow"),
    [SIP_H_ALLOW_EVENTS] = NAME("Allow-Events"),
    [SIP_H_AUTHENTICATION_INFO] = NAME("Authentication-Info"),
    [SIP_H_AUTHORIZATION] = NAME("Authorization"),
    [SIP_H_CALL_ID] = NAME("Call-ID"),
    [SIP_H_CALL_INFO] = NAME("Call-Info"),
    [SIP_H_CONTACT] = NAME("Contact"),
    [SIP_H_CONTENT_DISPOSITION] = NAME("Content-Disposition"),
    [SIP_H_CONTENT_ENCODING] = NAME("Content-Encoding"),
    [SIP_H_CONTENT_LANGUAGE] = NAME("Content-Language"),
    [SIP_H_CONTENT_LENGTH] = NAME("Content-Length"),
    [SIP_H_CONTENT_TYPE] = NAME("Content-Type"),
    [SIP_H_CSEQ] = NAME("CSeq"),
    [SIP_H_DATE] = NAME("Date"),
    [SIP_H_DIVERSION] = NAME("Diversion"),
    [SIP_H_EVENT] = NAME("Event"),
    [SIP_H_EXPIRES] = NAME("Expires"),
    [SIP_H_FLOW_TIMER] = NAME("Flow-Timer"),
    [SIP_H_FROM] = NAME("From"),
    [SIP_H_HISTORY_INFO] = NAME("History-Info"),
    [SIP_H_IN_REPLY_TO] = NAME("In-Reply-To"),
    [SIP_H_MAX_FORWARDS] = NAME("Max-Forwards"),
    [SIP_H_MIME_VERSION] = NAME("MIME-Version"),
    [SIP_H_MIN_EXPIRES] = NAME("Min-Expires"),
    [SIP_H_MIN_SE] = NAME("Min-SE"),
    [SIP_H_ORGANIZATION] = NAME("Organization"),
    [SIP_H_P_ASSERTED_IDENTITY] = NAME("P-Asserted-Identity"),
    [SIP_H_P_PREFERRED_IDENTITY] = NAME("P-Preferred-Identity"),
    [SIP_H_PATH] = NAME("Path"),
    [SIP_H_PRIORITY] = NAME("Priority"),
    [SIP_H_PRIVACY] = NAME("Privacy"),
    [SIP_H_PROXY_AUTHENTICATE] = NAME("Proxy-Authenticate"),
    [SIP_H_PROXY_AUTHORIZATION] = NAME("Proxy-Authorization"),
    [SIP_H_PROXY_REQUIRE] = NAME("Proxy-Require"),
    [SIP_H_RACK] = NAME("RAck"),
    [SIP_H_REASON] = NAME("Reason"),
    [SIP_H_RECORD_ROUTE] = NAME("Record-Route"),
    [SIP_H_REFER_TO] = NAME("Refer-To"),
    [SIP_H_REFERRED_BY] = NAME("Referred-By"),
    [SIP_H_REPLACES] = NAME("Replaces"),
    [SIP_H_REPLY_TO] = NAME("Reply-To"),
    [SIP_H_REQUIRE] = NAME("Require"),
    [SIP_H_RETRY_AFTER] = NAME("Retry-After"),
    [SIP_H_ROUTE] = NAME("Route"),
    [SIP_H_RSEQ] = NAME("RSeq"),
    [SIP_H_SERVER] = NAME("Server"),
    [SIP_H_SERVICE_ROUTE] = NAME("Service-Route"),
    [SIP_H_SESSION_EXPIRES] = NAME("Session-Expires"),
    [SIP_H_SIP_ETAG] = NAME("SIP-ETag"),
    [SIP_H_SIP_IF_MATCH] = NAME("SIP-If-Match"),
    [SIP_H_SUBJECT] = NAME("Subject"),
    [SIP_H_SUBSCRIPTION_STATE] = NAME("Subscription-State"),
    [SIP_H_SUPPORTED] = NAME("Supported"),
    [SIP_H_TIMESTAMP] = NAME("Timestamp"),
    [SIP_H_TO] = NAME("To"),
    [SIP_H_UNSUPPORTED] = NAME("Unsupported"),
    [SIP_H_USER_AGENT] = NAME("User-Agent"),
    [SIP_H_VIA] = NAME("Via"),
    [SIP_H_WARNING] = NAME("Warning"),
    [SIP_H_WWW_AUTHENTICATE] = NAME("WWW-Authenticate"),
};
static_assert(sizeof header_names / sizeof *header_names == SIP_HEADERS, "every header has a name");

struct span sip_header_name(enum sip_header_id id)
{
    assert(id != SIP_H_OTHER && id < SIP_HEADERS);
    return header_names[id];
}

/* A name has one place where it can stand: by its length, its first letter and the one in its middle. No two names
 * share a place; the compiler refuses a table in which two do. A new header that collides needs other factors. */
#define LONGEST_NAME           20
#define SLOTS                  256
#define SLOT(n, first, middle) (((n)*3u + (first)*30u + (middle)*56u) % SLOTS)

static const uint8_t ids_by_slot[SLOTS] = {
    [SLOT(6, 'a', 'e')] = SIP_H_ACCEPT,
    [SLOT(15, 'a', 'e')] = SIP_H_ACCEPT_ENCODING,
    [SLOT(15, 'a', 'l')] = SIP_H_ACCEPT_LANGUAGE,
    [SLOT(10, 'a', '-')] = SIP_H_ALERT_INFO,
    [SLOT(5, 'a', 'l')] = SIP_H_ALLOW,
    [SLOT(12, 'a', 'e')] = SIP_H_ALLOW_EVENTS,
    [SLOT(19, 'a', 'a')] = SIP_H_AUTHENTICATION_INFO,
    [SLOT(13, 'a', 'i')] = SIP_H_AUTHORIZATION,
    [SLOT(7, 'c', 'l')] = SIP_H_CALL_ID,
    [SLOT(9, 'c', '-')] = SIP_H_CALL_INFO,
    [SLOT(7, 'c', 't')] = SIP_H_CONTACT,
    [SLOT(19, 'c', 'i')] = SIP_H_CONTENT_DISPOSITION,
    [SLOT(16, 'c', 'e')] = SIP_H_CONTENT_ENCODING,
    [SLOT(16, 'c', 'l')] = SIP_H_CONTENT_LANGUAGE,
    [SLOT(14, 'c', '-')] = SIP_H_CONTENT_LENGTH,
    [SLOT(12, 'c', 't')] = SIP_H_CONTENT_TYPE,
    [SLOT(4, 'c', 'e')] = SIP_H_CSEQ,
    [SLOT(4, 'd', 't')] = SIP_H_DATE,
    [SLOT(9, 'd', 'r')] = SIP_H_DIVERSION,
    [SLOT(5, 'e', 'e')] = SIP_H_EVENT,
    [SLOT(7, 'e', 'i')] = SIP_H_EXPIRES,
    [SLOT(10, 'f', 't')] = SIP_H_FLOW_TIMER,
    [SLOT(4, 'f', 'o')] = SIP_H_FROM,
    [SLOT(12, 'h', 'y')] = SIP_H_HISTORY_INFO,
    [SLOT(11, 'i', 'p')] = SIP_H_IN_REPLY_TO,
    [SLOT(12, 'm', 'r')] = SIP_H_MAX_FORWARDS,
    [SLOT(12, 'm', 'e')] = SIP_H_MIME_VERSION,
    [SLOT(11, 'm', 'x')] = SIP_H_MIN_EXPIRES,
    [SLOT(6, 'm', '-')] = SIP_H_MIN_SE,
    [SLOT(12, 'o', 'z')] = SIP_H_ORGANIZATION,
    [SLOT(19, 'p', 'd')] = SIP_H_P_ASSERTED_IDENTITY,
    [SLOT(20, 'p', 'd')] = SIP_H_P_PREFERRED_IDENTITY,
    [SLOT(4, 'p', 't')] = SIP_H_PATH,
    [SLOT(8, 'p', 'r')] = SIP_H_PRIORITY,
    [SLOT(7, 'p', 'v')] = SIP_H_PRIVACY,
    [SLOT(18, 'p', 'h')] = SIP_H_PROXY_AUTHENTICATE,
    [SLOT(19, 'p', 'h')] = SIP_H_PROXY_AUTHORIZATION,
    [SLOT(13, 'p', 'r')] = SIP_H_PROXY_REQUIRE,
    [SLOT(4, 'r', 'c')] = SIP_H_RACK,
    [SLOT(6, 'r', 's')] = SIP_H_REASON,
    [SLOT(12, 'r', '-')] = SIP_H_RECORD_ROUTE,
    [SLOT(8, 'r', 'r')] = SIP_H_REFER_TO,
    [SLOT(11, 'r', 'r')] = SIP_H_REFERRED_BY,
    [SLOT(8, 'r', 'a')] = SIP_H_REPLACES,
    [SLOT(8, 'r', 'y')] = SIP_H_REPLY_TO,
    [SLOT(7, 'r', 'u')] = SIP_H_REQUIRE,
    [SLOT(11, 'r', '-')] = SIP_H_RETRY_AFTER,
    [SLOT(5, 'r', 'u')] = SIP_H_ROUTE,
    [SLOT(4, 'r', 'e')] = SIP_H_RSEQ,
    [SLOT(6, 's', 'v')] = SIP_H_SERVER,
    [SLOT(13, 's', 'e')] = SIP_H_SERVICE_ROUTE,
    [SLOT(15, 's', '-')] = SIP_H_SESSION_EXPIRES,
    [SLOT(8, 's', 'e')] = SIP_H_SIP_ETAG,
    [SLOT(12, 's', '-')] = SIP_H_SIP_IF_MATCH,
    [SLOT(7, 's', 'j')] = SIP_H_SUBJECT,
    [SLOT(18, 's', 'i')] = SIP_H_SUBSCRIPTION_STATE,
    [SLOT(9, 's', 'o')] = SIP_H_SUPPORTED,
    [SLOT(9, 't', 's')] = SIP_H_TIMESTAMP,
    [SLOT(2, 't', 'o')] = SIP_H_TO,
    [SLOT(11, 'u', 'p')] = SIP_H_UNSUPPORTED,
    [SLOT(10, 'u', 'a')] = SIP_H_USER_AGENT,
    [SLOT(3, 'v', 'i')] = SIP_H_VIA,
    [SLOT(7, 'w', 'n')] = SIP_H_WARNING,
    [SLOT(16, 'w', 'e')] = SIP_H_WWW_AUTHENTICATE,
};
static_assert(SIP_HEADERS <= UINT8_MAX, "ids are bytes");

static enum sip_header_id compact_id(char letter)
{
    switch (letter) {
    case 'b': return SIP_H_REFERRED_BY;
    case 'c': return SIP_H_CONTENT_TYPE;
    case 'e': return SIP_H_CONTENT_ENCODING;
    case 'f': return SIP_H_FROM;
    case 'i': return SIP_H_CALL_ID;
    case 'k': return SIP_H_SUPPORTED;
    case 'l': return SIP_H_CONTENT_LENGTH;
    case 'm': return SIP_H_CONTACT;
    case 'o': return SIP_H_EVENT;
    case 'r': return SIP_H_REFER_TO;
    case 's': return SIP_H_SUBJECT;
    case 't': return SIP_H_TO;
    case 'u': return SIP_H_ALLOW_EVENTS;
    case 'v': return SIP_H_VIA;
    case 'x': return SIP_H_SESSION_EXPIRES;
    default: return SIP_H_OTHER;
    }
}

/* A name that is not written as the RFC does: in another case, in its compact form, or not known at all. */
static enum sip_header_id unusual_id(struct span name, enum sip_header_id alike)
{
    if (span_equal_nocase(header_names[alike], name))
        return alike;
    return name.n == 1 ? compact_id((char)(name.p[0] | 0x20)) : SIP_H_OTHER;
}

enum sip_header_id sip_header_id(struct span name)
{
    if (name.n == 0 || name.n > LONGEST_NAME)
        return SIP_H_OTHER;
    unsigned first = (unsigned char)name.p[0] | 0x20u;
    unsigned middle = (unsigned char)name.p[name.n / 2] | 0x20u;
    enum sip_header_id id = ids_by_slot[SLOT((unsigned)name.n, first, middle)];
    return span_equal(header_names[id], name) ? id : unusual_id(name, id);
}

static const struct span method_names[] = {
    [SIP_ACK] = NAME("ACK"),
    [SIP_BYE] = NAME("BYE"),
    [SIP_CANCEL] = NAME("CANCEL"),
    [SIP_INFO] = NAME("INFO"),
    [SIP_INVITE] = NAME("INVITE"),
    [SIP_MESSAGE] = NAME("MESSAGE"),
    [SIP_NOTIFY] = NAME("NOTIFY"),
    [SIP_OPTIONS] = NAME("OPTIONS"),
    [SIP_PRACK] = NAME("PRACK"),
    [SIP_PUBLISH] = NAME("PUBLISH"),
    [SIP_REFER] = NAME("REFER"),
    [SIP_REGISTER] = NAME("REGISTER"),
    [SIP_SUBSCRIBE] = NAME("SUBSCRIBE"),
    [SIP_UPDATE] = NAME("UPDATE"),
};
static_assert(sizeof method_names / sizeof *method_names == SIP_METHODS, "every method has a name");

struct span sip_method_name(enum sip_method method)
{
    assert(method != SIP_EXTENSION_METHOD && method < SIP_METHODS);
    return method_names[method];
}

enum sip_method sip_method_id(struct span name)
{
    for (unsigned m = SIP_EXTENSION_METHOD + 1; m < SIP_METHODS && name.n; m++)
        if (method_names[m].p[0] == name.p[0] && span_equal(method_names[m], name))
            return (enum sip_method)m;
    return SIP_EXTENSION_METHOD;
}

static const struct span transport_names[] = {
    [SIP_UDP] = NAME("UDP"),   [SIP_TCP] = NAME("TCP"), [SIP_TLS] = NAME("TLS"),
    [SIP_SCTP] = NAME("SCTP"), [SIP_WS] = NAME("WS"),   [SIP_WSS] = NAME("WSS"),
};

struct span sip_transport_name(enum sip_transport t)
{
    assert(t != SIP_TRANSPORT_OTHER);
    return transport_names[t];
}

enum sip_transport sip_transport_id(struct span name)
{
    for (unsigned t = SIP_UDP; t <= SIP_WSS; t++)
        if (span_alike(transport_names[t], name))
            return (enum sip_transport)t;
    return SIP_TRANSPORT_OTHER;
}

/* RFC 3261 §21, and RFC 3262, 3329, 5626, 6665, 4028, 3903, 3265 for the others. */
static const struct {
    unsigned status;
    struct span phrase;
} phrases[] = {
    {100, NAME("Trying")},
    {180, NAME("Ringing")},
    {181, NAME("Call Is Being Forwarded")},
    {182, NAME("Queued")},
    {183, NAME("Session Progress")},
    {200, NAME("OK")},
    {202, NAME("Accepted")},
    {300, NAME("Multiple Choices")},
    {301, NAME("Moved Permanently")},
    {302, NAME("Moved Temporarily")},
    {305, NAME("Use Proxy")},
    {380, NAME("Alternative Service")},
    {400, NAME("Bad Request")},
    {401, NAME("Unauthorized")},
    {402, NAME("Payment Required")},
    {403, NAME("Forbidden")},
    {404, NAME("Not Found")},
    {405, NAME("Method Not Allowed")},
    {406, NAME("Not Acceptable")},
    {407, NAME("Proxy Authentication Required")},
    {408, NAME("Request Timeout")},
    {410, NAME("Gone")},
    {412, NAME("Conditional Request Failed")},
    {413, NAME("Request Entity Too Large")},
    {414, NAME("Request-URI Too Long")},
    {415, NAME("Unsupported Media Type")},
    {416, NAME("Unsupported URI Scheme")},
    {420, NAME("Bad Extension")},
    {421, NAME("Extension Required")},
    {422, NAME("Session Interval Too Small")},
    {423, NAME("Interval Too Brief")},
    {430, NAME("Flow Failed")},
    {439, NAME("First Hop Lacks Outbound Support")},
    {480, NAME("Temporarily Unavailable")},
    {481, NAME("Call/Transaction Does Not Exist")},
    {482, NAME("Loop Detected")},
    {483, NAME("Too Many Hops")},
    {484, NAME("Address Incomplete")},
    {485, NAME("Ambiguous")},
    {486, NAME("Busy Here")},
    {487, NAME("Request Terminated")},
    {488, NAME("Not Acceptable Here")},
    {489, NAME("Bad Event")},
    {491, NAME("Request Pending")},
    {493, NAME("Undecipherable")},
    {494, NAME("Security Agreement Required")},
    {500, NAME("Server Internal Error")},
    {501, NAME("Not Implemented")},
    {502, NAME("Bad Gateway")},
    {503, NAME("Service Unavailable")},
    {504, NAME("Server Time-out")},
    {505, NAME("Version Not Supported")},
    {513, NAME("Message Too Large")},
    {600, NAME("Busy Everywhere")},
    {603, NAME("Decline")},
    {604, NAME("Does Not Exist Anywhere")},
    {606, NAME("Not Acceptable")},
};

/* A status that has no phrase of its own is treated as x00 of its class (§8.1.3.2). */
static const struct span class_phrases[] = {
    [1] = NAME("Session Progress"), [2] = NAME("OK"),
    [3] = NAME("Redirection"),      [4] = NAME("Request Failure"),
    [5] = NAME("Server Failure"),   [6] = NAME("Global Failure"),
};

struct span sip_reason_phrase(unsigned status)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    unsigned class = status / 100;
    return class >= 1 && class <= 6 ? class_phrases[class] : SPAN("Unknown");
}

static const char *const fault_texts[] = {
    [SIP_FINE] = "nothing is wrong",
    [SIP_FAULT_EMPTY] = "there is no start line",
    [SIP_FAULT_TRUNCATED] = "the headers do not end",
    [SIP_FAULT_LINE_END] = "a line does not end in CR LF",
    [SIP_FAULT_START_LINE] = "the start line is malformed",
    [SIP_FAULT_VERSION] = "the version is not SIP/2.0",
    [SIP_FAULT_METHOD] = "the method is not a token",
    [SIP_FAULT_URI] = "the Request-URI is malformed",
    [SIP_FAULT_STATUS] = "the status is not a number from 100 to 699",
    [SIP_FAULT_HEADER_NAME] = "a header has no name",
    [SIP_FAULT_TOO_MANY] = "there are too many headers",
    [SIP_FAULT_CONTENT_LENGTH] = "Content-Length is malformed or repeated",
    [SIP_FAULT_BODY_SHORT] = "the body is shorter than Content-Length says",
    [SIP_FAULT_MISSING] = "a mandatory header is missing",
    [SIP_FAULT_REPEATED] = "a header is repeated that may be there once",
    [SIP_FAULT_VIA] = "Via is malformed",
    [SIP_FAULT_FROM] = "From is malformed",
    [SIP_FAULT_TO] = "To is malformed",
    [SIP_FAULT_CALL_ID] = "Call-ID is malformed",
    [SIP_FAULT_CSEQ] = "CSeq is malformed",
    [SIP_FAULT_CSEQ_METHOD] = "CSeq names another method than the request line",
    [SIP_FAULT_MAX_FORWARDS] = "Max-Forwards is malformed",
    [SIP_FAULT_CONTACT] = "Contact is malformed",
    [SIP_FAULT_ROUTE] = "a route is malformed",
    [SIP_FAULT_EXPIRES] = "Expires is malformed",
    [SIP_FAULT_OPTION_TAG] = "a list of option tags is malformed",
    [SIP_FAULT_DATE] = "Date is malformed or not in GMT",
    [SIP_FAULT_CONTENT_TYPE] = "Content-Type is malformed or missing",
    [SIP_FAULT_HEADER] = "a header is malformed",
    [SIP_FAULT_SCHEME] = "the scheme of the Request-URI is not served here",
    [SIP_FAULT_REQUIRED] = "an extension is required that is not known here",
    [SIP_FAULT_TOO_MANY_HOPS] = "Max-Forwards is spent",
};
static_assert(sizeof fault_texts / sizeof *fault_texts == SIP_FAULTS, "every fault has a text");

const char *sip_fault_text(enum sip_fault fault)
{
    return fault < SIP_FAULTS ? fault_texts[fault] : "unknown fault";
}
