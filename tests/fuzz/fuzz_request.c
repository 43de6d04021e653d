/* Any bytes as lines of the control socket: what is understood means the same when it is written and read again. As a
 * step it is read for a small lab, which is the same afterwards unless the step was right. */
#include "nodes/base/error.h"
#include "sim/cli/cli_request.h"
#include "sim/lab/lab.h"
#include "sim/lab/step.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char lab_file[] = "lab: t\n"
                               "networks: {net: 10.0.0.0/24}\n"
                               "nodes:\n"
                               "  alice: {kind: phone, on: net.1, line: 101}\n"
                               "  bob: {kind: phone, on: net.2, line: 102}\n"
                               "  pbx: {kind: pbx, on: net.10}\n";

static void step(const struct cli_request *r)
{
    const struct step_list *steps = NULL;
    struct lab *lab = NULL;
    if (lab_parse(&lab, "t.yaml", SPAN(lab_file), NULL, 0))
        return;
    int error = lab_add_steps(lab, "inject", r->text, &steps);
    must(error == FE_EMEM || (error == 0) == (lab->problems.n == 0));
    must((error == 0) == (steps != NULL));
    must(error == 0 || (lab->expectations_n == 0 && lab->faults_n == 0));
    lab_free(lab);
}

static void again(const struct cli_request *r)
{
    static char line[2 * CLI_REQUEST_MAX + 64];
    struct text text = text_on(line, sizeof line);
    struct cli_request other;
    if (!cli_request_write(r, &text))
        return;
    must(text.n > 0 && line[text.n - 1] == '\n' && !memchr(line, '\n', text.n - 1));
    must(cli_request_read(&other, line, text.n - 1));
    must(other.verb == r->verb && other.colour == r->colour && span_equal(other.text, r->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_make(data, size);
    while (rest.n) {
        struct cli_request r;
        struct cli_answer a;
        struct span line = span_cut(rest, '\n', &rest);
        char *copy = malloc(line.n + 1); /* of its own, so that a sanitizer sees what is read beyond */
        if (!copy)
            return 0;
        memcpy(copy, line.p, line.n);
        if (cli_answer_read(&a, line))
            must(a.status >= 0 && a.status <= 255);
        if (cli_request_read(&r, copy, line.n)) {
            again(&r);
            if (r.verb == CLI_ASK_INJECT)
                step(&r);
        }
        free(copy);
    }
    return 0;
}
