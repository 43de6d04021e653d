#include "nodes/phone/phone_call.h"

#include "nodes/base/error.h"

const char phone_commands_help[] = "call LINE          call another line\n"
                                   "answer             the call that rings\n"
                                   "hang up            end the call, give up dialling, or reject what rings\n"
                                   "cancel             give up dialling\n"
                                   "reject             refuse the call that rings (603)\n"
                                   "hold               put the call on hold\n"
                                   "resume             take it back\n"
                                   "report             trace a media report now\n"
                                   "register           now\n"
                                   "unregister         take the registration back\n"
                                   "set media ttl N    time to live of media sent, 1 to 255, from now on\n";

#define NO_CALL "there is no call"

/* Each returns NULL, or why it cannot be. `rest`: the words behind the command. */

static const char *call(struct phone *p, struct span rest)
{
    return phone_call_dial(p, rest);
}

static const char *answer(struct phone *p, struct span rest)
{
    struct phone_call *c = phone_call_active(p);
    (void)rest;
    return c ? phone_call_answer(c) : "nothing rings";
}

static const char *hang_up(struct phone *p, struct span rest)
{
    struct phone_call *c = phone_call_active(p);
    (void)rest;
    return c ? phone_call_hang_up(c) : NO_CALL;
}

static const char *cancel(struct phone *p, struct span rest)
{
    struct phone_call *c = phone_call_active(p);
    (void)rest;
    if (!c || (c->state != CALL_CALLING && c->state != CALL_RINGING))
        return "no call is being dialled";
    return phone_call_hang_up(c);
}

static const char *reject(struct phone *p, struct span rest)
{
    struct phone_call *c = phone_call_active(p);
    (void)rest;
    return c && c->state == CALL_INCOMING ? phone_call_hang_up(c) : "nothing rings";
}

static const char *hold(struct phone *p, struct span rest)
{
    struct phone_call *c = phone_call_active(p);
    (void)rest;
    return c ? phone_call_hold(c, true) : NO_CALL;
}

static const char *resume(struct phone *p, struct span rest)
{
    struct phone_call *c = phone_call_active(p);
    (void)rest;
    return c ? phone_call_hold(c, false) : NO_CALL;
}

static const char *report(struct phone *p, struct span rest)
{
    struct phone_call *c = phone_call_active(p);
    (void)rest;
    if (!c || !c->media)
        return NO_CALL;
    phone_call_report(c);
    return NULL;
}

static const char *do_register(struct phone *p, struct span rest)
{
    (void)rest;
    phone_register_start(p);
    return NULL;
}

static const char *unregister(struct phone *p, struct span rest)
{
    (void)rest;
    phone_register_end(p);
    return NULL;
}

static const char *set_media_ttl(struct phone *p, struct span rest)
{
    struct phone_call *c = phone_call_active(p);
    uint64_t ttl;
    if (span_u64(rest, 255, &ttl) || ttl == 0)
        return "expected a number from 1 to 255";
    p->media_ttl = (uint8_t)ttl;
    if (c && c->media)
        media_set_ttl(c->media, p->media_ttl);
    return NULL;
}

static const struct command {
    const char *words;
    bool argument;
    const char *(*run)(struct phone *p, struct span rest);
} commands[] = {{"call", true, call},
                {"answer", false, answer},
                {"hang up", false, hang_up},
                {"cancel", false, cancel},
                {"reject", false, reject},
                {"hold", false, hold},
                {"resume", false, resume},
                {"report", false, report},
                {"register", false, do_register},
                {"unregister", false, unregister},
                {"set media ttl", true, set_media_ttl}};

static bool command_is(const struct command *command, struct span line, struct span *rest)
{
    struct span words = span_of(command->words);
    if (!span_starts(line, words))
        return false;
    *rest = (struct span){line.p + words.n, line.n - words.n};
    if (!command->argument)
        return rest->n == 0;
    if (rest->n && rest->p[0] != ' ')
        return false;
    *rest = span_trim(*rest);
    return true;
}

static const char *run(struct phone *p, struct span line)
{
    struct span rest;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (command_is(&commands[i], line, &rest))
            return commands[i].run(p, rest);
    return "a phone does not know this command";
}

void phone_command(void *node, struct span line)
{
    struct phone *p = node;
    line = span_trim(line);
    const char *why = run(p, line);
    if (!why)
        return;
    struct record *r = host_trace(p->host, "bad-command");
    record_text(r, "line", line);
    record_str(r, "reason", why);
    host_trace_end(p->host);
}
