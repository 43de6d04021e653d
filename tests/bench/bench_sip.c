/* How fast SIP messages are parsed and decoded: an INVITE of 1 kB with a session description, with all that a proxy
 * reads of it. Prints "sip_parse messages/s". */
#include "nodes/proto/sip_check.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/proto/sip_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char invite[] = "INVITE sip:102@sbc.example.com;user=phone SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK7f3a6b4c5e1bf14d;rport\r\n"
                             "Max-Forwards: 70\r\n"
                             "From: \"Alice Example\" <sip:101@sbc.example.com>;tag=059b0e4ab5147b0f\r\n"
                             "To: <sip:102@sbc.example.com;user=phone>\r\n"
                             "Call-ID: 47a680c44fcb093d38026b9b66c8f917@192.168.1.20\r\n"
                             "CSeq: 20711 INVITE\r\n"
                             "Contact: <sip:101@192.168.1.20:5060;transport=udp>"
                             ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-00085d123456>\"\r\n"
                             "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, UPDATE, PRACK, INFO\r\n"
                             "Supported: replaces, timer, path, gruu, 100rel\r\n"
                             "Session-Expires: 1800;refresher=uac\r\n"
                             "User-Agent: farend phone\r\n"
                             "Content-Type: application/sdp\r\n"
                             "Content-Length: 290\r\n"
                             "\r\n"
                             "v=0\r\n"
                             "o=- 1234567890 1234567890 IN IP4 192.168.1.20\r\n"
                             "s=-\r\n"
                             "c=IN IP4 192.168.1.20\r\n"
                             "t=0 0\r\n"
                             "m=audio 3000 RTP/AVP 8 0 9 18 101\r\n"
                             "a=rtpmap:8 PCMA/8000\r\n"
                             "a=rtpmap:0 PCMU/8000\r\n"
                             "a=rtpmap:9 G722/8000\r\n"
                             "a=rtpmap:18 G729/8000\r\n"
                             "a=fmtp:18 annexb=no\r\n"
                             "a=rtpmap:101 telephone-event/8000\r\n"
                             "a=fmtp:101 0-15\r\n"
                             "a=ptime:20\r\n"
                             "a=sendrecv\r\n";

static double seconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Lines, names and framing checked, every header found; no value is looked into. */
static int parse(struct span message)
{
    static struct sip_msg m;
    return sip_parse(message, &m, NULL);
}

static int parse_and_decode(struct span message)
{
    static struct sip_msg m;
    struct sip_core core;
    struct sip_contact contact;
    return sip_parse(message, &m, NULL) || sip_core(&m, &core, NULL) ||
           sip_contact_parse(sip_value(&m, SIP_H_CONTACT), &contact);
}

static int parse_and_check(struct span message)
{
    static struct sip_msg m;
    struct sip_core core;
    return sip_parse(message, &m, NULL) || sip_check(&m, &core, NULL);
}

static int parse_and_forward(struct span message)
{
    static struct sip_msg m;
    static struct sip_edit edit;
    static char out[4096];
    struct sip_core core;
    struct text t = text_on(out, sizeof out);
    if (sip_parse(message, &m, NULL) || sip_core(&m, &core, NULL))
        return 1;
    sip_edit_begin(&edit, &m);
    sip_edit_received(&edit, &core.via, (struct endpoint){IPV4(203, 0, 113, 7), 40000});
    sip_edit_prepend(&edit, SIP_H_VIA, SPAN("SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK004297b0fd2bd06d"));
    sip_edit_prepend(&edit, SIP_H_RECORD_ROUTE, SPAN("<sip:203.0.113.10;lr>"));
    sip_edit_number(&edit, SIP_H_MAX_FORWARDS, core.max_forwards - 1u);
    return sip_edit_write(&edit, &t);
}

static void measure(const char *what, int (*work)(struct span message), long rounds)
{
    struct span message = SPAN(invite);
    double start = seconds();
    for (long i = 0; i < rounds; i++) {
        if (work(message)) {
            fprintf(stderr, "%s: the message was refused\n", what);
            exit(1);
        }
    }
    printf("%s messages/s %.0f\n", what, (double)rounds / (seconds() - start));
}

/* One way of working through messages; all of them, or the one that is named on the command line (for profilers). */
static const struct {
    const char *name;
    int (*work)(struct span message);
} ways[] = {{"sip_parse", parse},
            {"sip_parse and core", parse_and_decode},
            {"sip_check", parse_and_check},
            {"sip_forward", parse_and_forward}};

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) : 1000000;
    printf("sip message bytes %zu\n", sizeof invite - 1);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (argc < 3 || strcmp(argv[2], ways[i].name) == 0)
            measure(ways[i].name, ways[i].work, rounds);
    return 0;
}
