/* The order in which a turn works off its input is that of the real host (nodes/host/host_loop.c): rounds. A round is
 * over the inputs that had something when it began, in the order of their opening; of each it takes the errors, then
 * the packets, if there were any of the kind at the beginning; TCP tells what there was to tell then. What a node sends
 * to itself is the business of the next round. */
#include "sim/world/sim_impl.h"

#include <stdlib.h>

enum { BATCH = 8 }; /* packets the real host takes with one system call; only a full batch makes it ask again */

struct sim_error {
    struct sim_error *next;
    struct host_icmp icmp;
};

void sim_input_init(struct sim_input *input, struct host *h)
{
    input->host = h;
    input->order = h->opened++;
    input->errors_last = &input->errors;
}

static void list_input(struct sim_input *input)
{
    struct sim_input **link = &input->host->ready;
    if (input->listed)
        return;
    while (*link && (*link)->order < input->order)
        link = &(*link)->next;
    input->next = *link;
    *link = input;
    input->listed = true;
}

void sim_input_packet(struct sim_input *input, struct packet *p)
{
    sim_packets_add(&input->packets, p);
    list_input(input);
}

void sim_input_error(struct sim_input *input, const struct host_icmp *icmp)
{
    struct sim_error *error = malloc(sizeof *error);
    if (!error) {
        engine_fail(input->host->world->engine, "out of memory for an ICMP error");
        return;
    }
    *error = (struct sim_error){NULL, *icmp};
    *input->errors_last = error;
    input->errors_last = &error->next;
    list_input(input);
}

void sim_input_news(struct sim_input *input)
{
    list_input(input);
}

static struct sim_error *take_error(struct sim_input *input)
{
    struct sim_error *error = input->errors;
    if (!error)
        return NULL;
    input->errors = error->next;
    if (!input->errors)
        input->errors_last = &input->errors;
    return error;
}

static void discard(struct sim_input *input)
{
    sim_packets_clear(&input->packets);
    for (struct sim_error *error; (error = take_error(input));)
        free(error);
}

static void unlist(struct sim_input *input)
{
    for (struct sim_input **link = &input->host->ready; *link; link = &(*link)->next)
        if (*link == input) {
            *link = input->next;
            input->listed = false;
            return;
        }
}

/* It may be listed in the round that runs: then it is passed over there, and goes to the closed ones. */
void sim_input_close(struct sim_input *input)
{
    struct host *h = input->host;
    input->closed = true;
    discard(input);
    if (input->listed)
        unlist(input);
    if (!input->listed) {
        input->next = h->closed;
        h->closed = input;
    }
}

void sim_input_free_closed(struct host *h)
{
    while (h->closed) {
        struct sim_input *input = h->closed;
        h->closed = input->next;
        free(input);
    }
}

static void take_errors(struct sim_input *input)
{
    for (struct sim_error *error; !input->closed && (error = take_error(input));) {
        struct host_icmp icmp = error->icmp;
        free(error);
        input->refuse(input, &icmp);
    }
}

static void take_packets(struct sim_input *input)
{
    unsigned n;
    do {
        n = input->packets.n < BATCH ? input->packets.n : BATCH;
        for (unsigned i = 0; i < n && !input->closed; i++) {
            struct packet *p = sim_packets_take(&input->packets);
            input->receive(input, p);
            packet_release(p);
        }
    } while (n == BATCH && !input->closed);
}

static bool has_more(const struct sim_input *input)
{
    return input->poll ? input->poll(input) != 0 : input->errors || input->packets.n;
}

static void work_off(struct sim_input *input)
{
    if (!input->closed && input->due)
        input->tell(input, input->due);
    if (!input->closed && input->errors_due)
        take_errors(input);
    if (!input->closed && input->packets_due)
        take_packets(input);
    input->listed = false;
    if (input->closed) {
        input->next = input->host->closed;
        input->host->closed = input;
    } else if (has_more(input)) {
        list_input(input);
    }
}

static void one_round(struct host *h)
{
    struct sim_input *list = h->ready;
    h->ready = NULL;
    for (struct sim_input *input = list; input; input = input->next) {
        input->errors_due = input->errors != NULL;
        input->packets_due = input->packets.n > 0;
        input->due = input->poll ? input->poll(input) : 0;
    }
    for (struct sim_input *next; list; list = next) {
        next = list->next;
        work_off(list);
    }
}

static void all_input(struct host *h)
{
    while (h->ready && !h->ended)
        one_round(h);
}

void sim_input_work(struct host *h)
{
    all_input(h);
    while (!h->ended && timers_fire(&h->timers, h->world->now))
        all_input(h);
    sim_input_free_closed(h);
}
