/* The program of a simulated node: from its first turn to the power switch. */
#include "sim/world/sim_impl.h"

#include "nodes/base/error.h"

#include <stdlib.h>

/* ---- starting ---- */

static int settings_new(struct host *h, struct text *why)
{
    const struct node_kind *kind = h->plan->kind;
    h->settings = options_new(kind->options, kind->settings_size);
    if (!h->settings)
        return FE_EMEM;
    for (size_t i = 0; i < h->plan->settings_n; i++) {
        const struct plan_setting *s = &h->plan->settings[i];
        int error = options_set(kind->options, h->settings, span_of(s->path), span_of(s->value), why);
        if (error)
            return error;
    }
    return 0;
}

static void settings_free(struct host *h)
{
    if (h->settings)
        options_free(h->plan->kind->options, h->settings);
    h->settings = NULL;
}

static void start_failed(struct host *h, int error, const char *why)
{
    char buf[512];
    struct text t = text_on(buf, sizeof buf);
    text_str(&t, h->plan->name);
    text_str(&t, " did not start: ");
    text_str(&t, *why ? why : fe_error_text(error));
    engine_fail(h->world->engine, buf);
}

static void start(struct host *h)
{
    char buf[384];
    struct text why = text_on(buf, sizeof buf);
    host_stream(h, "ports", &h->ports_stream);
    int error = settings_new(h, &why);
    if (!error)
        error = h->plan->kind->start(h, h->settings, &h->node, &why);
    h->running = !error;
    if (error)
        start_failed(h, error, buf);
}

/* ---- commands ---- */

void sim_program_command(struct host *h, struct span line)
{
    struct sim_command *command = malloc(sizeof *command + line.n);
    if (!command) {
        engine_fail(h->world->engine, "out of memory for a command");
        return;
    }
    command->next = NULL;
    command->n = line.n;
    memcpy(command->text, line.p, line.n);
    *h->commands_last = command;
    h->commands_last = &command->next;
}

static struct sim_command *take_command(struct host *h)
{
    struct sim_command *command = h->commands;
    if (!command)
        return NULL;
    h->commands = command->next;
    if (!h->commands)
        h->commands_last = &h->commands;
    return command;
}

/* Those that were there when the turn began: a command may bring about others. */
static void work_off_commands(struct host *h)
{
    struct sim_command *list = h->commands;
    h->commands = NULL;
    h->commands_last = &h->commands;
    for (struct sim_command *next; list; list = next) {
        next = list->next;
        if (!h->ended)
            h->plan->kind->command(h->node, (struct span){list->text, list->n});
        free(list);
    }
}

/* ---- turns ---- */

bool sim_program_ready(const struct host *h)
{
    return h->on && (h->ready || h->commands);
}

lab_time sim_program_turn(struct host *h)
{
    if (!h->on)
        return NEVER;
    if (!h->running)
        start(h);
    if (!h->running) {
        sim_program_stop(h);
        return NEVER;
    }
    if (h->commands)
        work_off_commands(h);
    sim_input_work(h);
    if (h->ended)
        sim_program_stop(h);
    return timers_next(&h->timers);
}

void sim_program_stop(struct host *h)
{
    h->on =
        false; /* first: what a node says while it is switched off is not traced, as nobody hears a killed program */
    sim_tcp_close_all(h);
    if (h->running)
        h->plan->kind->stop(h->node);
    h->node = NULL;
    h->running = h->ended = false;
    sim_udp_close_all(h);
    if (h->raw)
        host_raw_close(h->raw);
    sim_input_free_closed(h);
    timers_fini(&h->timers);
    for (struct sim_command *command; (command = take_command(h));)
        free(command);
    settings_free(h);
}
