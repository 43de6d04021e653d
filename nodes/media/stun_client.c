#include "nodes/media/stun_client.h"

enum { TRANSMISSIONS = 4, REQUEST_MAX = 64 };
#define RTO (500 * MS) /* RFC 8489 §6.2.1 */

static void transmit(struct stun_client *c)
{
    uint8_t room[REQUEST_MAX];
    struct stun_writer w;
    stun_begin(&w, room, sizeof room, STUN_REQUEST, &c->id);
    stun_put_fingerprint(&w);
    host_timer_start(c->host, &c->timer, host_now(c->host) + (RTO << c->sent));
    c->sent++;
    c->events->send(c->arg, c->server, stun_end(&w));
}

static void end(struct stun_client *c, struct endpoint seen)
{
    stun_client_stop(c);
    c->events->mapped(c->arg, seen);
}

static void timer_fired(void *arg)
{
    struct stun_client *c = arg;
    if (c->sent < c->transmissions)
        transmit(c);
    else
        end(c, (struct endpoint){0});
}

void stun_client_init(struct stun_client *c, struct host *h, struct endpoint server, const char *purpose,
                      const struct stun_client_events *events, void *arg)
{
    *c =
        (struct stun_client){.host = h, .server = server, .events = events, .arg = arg, .transmissions = TRANSMISSIONS};
    host_stream(h, purpose, &c->rng);
    timer_init(&c->timer, timer_fired, c);
}

void stun_client_ask(struct stun_client *c)
{
    if (c->server.port == 0 || c->sent)
        return;
    prng_bytes(&c->rng, c->id.bytes, STUN_ID);
    transmit(c);
}

void stun_client_stop(struct stun_client *c)
{
    c->sent = 0;
    if (c->host)
        host_timer_stop(c->host, &c->timer);
}

bool stun_client_heard(struct stun_client *c, struct endpoint from, struct span bytes)
{
    struct stun_msg msg;
    bool answer = c->sent && endpoint_equal(from, c->server) && stun_parse(bytes, &msg) == 0 &&
                  stun_id_equal(&msg.id, &c->id) && (msg.class == STUN_SUCCESS || msg.class == STUN_ERROR);
    if (!answer)
        return false;
    end(c, msg.class == STUN_SUCCESS && msg.unknown_n == 0 ? stun_public(&msg) : (struct endpoint){0});
    return true;
}
