#include "sim/cli/cli_request.h"

enum takes { TAKES_NOTHING, TAKES_COLOUR, TAKES_TEXT, TAKES_BOTH };

static const struct {
    const char *word;
    enum takes takes;
} verbs[] = {
    [CLI_ASK_STATUS] = {"status", TAKES_COLOUR}, [CLI_ASK_BRIEF] = {"brief", TAKES_NOTHING},
    [CLI_ASK_INJECT] = {"inject", TAKES_BOTH},   [CLI_ASK_SPACE] = {"space", TAKES_TEXT},
    [CLI_ASK_DOWN] = {"down", TAKES_NOTHING},
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static bool takes_colour(enum takes takes)
{
    return takes == TAKES_COLOUR || takes == TAKES_BOTH;
}

static bool takes_text(enum takes takes)
{
    return takes == TAKES_TEXT || takes == TAKES_BOTH;
}

/* ---- the text, which may have several lines ---- */

static void put_escaped(struct text *out, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n' || s.p[i] == '\\')
            text_char(out, '\\');
        text_char(out, s.p[i] == '\n' ? 'n' : s.p[i]);
    }
}

/* In place; false: a backslash before something else. */
static bool unescape(char *p, size_t *n)
{
    size_t to = 0;
    for (size_t i = 0; i < *n; i++) {
        char c = p[i];
        if (c == '\\') {
            if (++i == *n || (p[i] != 'n' && p[i] != '\\'))
                return false;
            c = p[i] == 'n' ? '\n' : '\\';
        }
        p[to++] = c;
    }
    *n = to;
    return true;
}

/* ---- requests ---- */

bool cli_request_write(const struct cli_request *r, struct text *out)
{
    enum takes takes = verbs[r->verb].takes;
    text_str(out, verbs[r->verb].word);
    if (takes_colour(takes))
        text_str(out, r->colour ? " colour" : " plain");
    if (takes_text(takes)) {
        text_char(out, ' ');
        put_escaped(out, r->text);
    }
    text_char(out, '\n');
    return text_ok(out) && out->n <= CLI_REQUEST_MAX;
}

static bool verb_read(struct cli_request *r, struct span word)
{
    for (size_t i = 0; i < VERBS; i++)
        if (span_is(word, verbs[i].word)) {
            r->verb = (enum cli_verb)i;
            return true;
        }
    return false;
}

static bool colour_read(struct cli_request *r, struct span word)
{
    r->colour = span_is(word, "colour");
    return r->colour || span_is(word, "plain");
}

bool cli_request_read(struct cli_request *r, char *line, size_t n)
{
    struct span rest = {line, n};
    *r = (struct cli_request){0};
    if (memchr(line, '\0', n) || !verb_read(r, span_cut(rest, ' ', &rest)))
        return false;
    enum takes takes = verbs[r->verb].takes;
    if (takes_colour(takes) && !colour_read(r, span_cut(rest, ' ', &rest)))
        return false;
    if (!takes_text(takes))
        return !rest.p;
    if (!rest.p || !unescape(line + (rest.p - line), &rest.n))
        return false;
    r->text = rest;
    return true;
}

/* ---- answers ---- */

static const char *const parts[] = {[CLI_SAY] = "say", [CLI_COMPLAIN] = "complain", [CLI_END] = "end"};

void cli_answer_text(FILE *out, enum cli_answer_part part, const char *text)
{
    struct span rest = span_of(text);
    while (rest.n) {
        struct span line = span_cut(rest, '\n', &rest);
        fprintf(out, "%s %.*s\n", parts[part], SPAN_ARG(line));
    }
}

void cli_answer_end(FILE *out, int status)
{
    fprintf(out, "%s %d\n", parts[CLI_END], status);
}

bool cli_answer_read(struct cli_answer *a, struct span line)
{
    struct span rest;
    struct span word = span_cut(line, ' ', &rest);
    uint64_t status = 0;
    *a = (struct cli_answer){.text = rest};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (rest.p && span_is(word, parts[i])) {
            a->part = (enum cli_answer_part)i;
            bool ok = a->part != CLI_END || span_u64(rest, 255, &status) == 0;
            a->status = (int)status;
            return ok;
        }
    return false;
}
