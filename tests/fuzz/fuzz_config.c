/* A maker's configuration file of any contents: places lie inside it, and whatever is set has a path of the phone's. */
#include "nodes/node.h"

#include <stdlib.h>

extern const struct node_kind phone_kind;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned lines;

static void place(unsigned line, unsigned column)
{
    if (line == 0 || line > lines || column == 0)
        abort();
}

static void set(void *arg, const char *path, struct span value, unsigned line, unsigned column)
{
    struct text none = text_on((char[1]){0}, 1);
    place(line, column);
    if (!options_find(phone_kind.options, span_of(path)))
        abort();
    (void)options_set(phone_kind.options, arg, span_of(path), value, &none);
}

static void say(void *arg, unsigned line, unsigned column, const char *what)
{
    (void)arg;
    place(line, column);
    if (!*what)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct node_config_events events = {set, say, say};
    void *settings = options_new(phone_kind.options, phone_kind.settings_size);
    lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    phone_kind.read_config(span_make(data, size), &events, settings);
    options_free(phone_kind.options, settings);
    return 0;
}
