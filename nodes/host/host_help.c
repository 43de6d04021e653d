#define _GNU_SOURCE
#include "nodes/host/host_args.h"

#include <stdio.h>

static void print_choices(const struct option *o)
{
    for (int i = 0; o->choices[i]; i++)
        printf("%s%s", i ? ", " : ": ", o->choices[i]);
}

static void print_option(const char *prefix, const struct option *o)
{
    printf("  %s%s\n        %s", prefix, o->name, o->help ? o->help : "");
    printf("%s%s", o->help ? "; " : "", option_expects(o));
    if (o->type == OPT_CHOICE)
        print_choices(o);
    if (o->def)
        printf(" [%s]", o->def);
    if (o->needed)
        printf(" (needed)");
    printf("\n");
    for (int i = 0; o->choices_help && o->choices[i]; i++)
        printf("          %s: %s\n", o->choices[i], o->choices_help[i]);
}

static void print_table(const char *prefix, const struct option *table)
{
    for (const struct option *o = table; o->name; o++) {
        char deeper[128];
        if (o->name[0])
            print_option(prefix, o);
        if (o->type != OPT_MAP)
            continue;
        snprintf(deeper, sizeof deeper, "%s%s.NAME.", prefix, o->name);
        print_table(deeper, o->each);
    }
}

static void print_commands(const char *commands)
{
    struct span rest = span_of(commands);
    printf("\nCommands, one a line, on standard input:\n");
    while (rest.n) {
        struct span line = span_cut(rest, '\n', &rest);
        printf("  %.*s\n", SPAN_ARG(line));
    }
}

void host_help(const struct node_kind *kind)
{
    printf("farend-%s: %s\n\nfarend-%s", kind->name, kind->help, kind->name);
    for (int i = 0; kind->ports[i]; i++)
        printf(i < 2 ? " %s=WHERE" : " [%s=WHERE]", kind->ports[i]);
    printf(" [SETTING=VALUE]…\n\n"
           "WHERE is an address of this machine, an interface, or INTERFACE:ADDRESS/BITS.\n\n"
           "  --settings FILE   lines SETTING = VALUE, # comments\n"
           "  --name NAME       the node's name in the trace [%s]\n"
           "  --seed N          random numbers that repeat\n"
           "  --json            the trace as JSON lines\n\n"
           "Settings:\n",
           kind->name);
    print_table("", kind->options);
    if (kind->commands)
        print_commands(kind->commands);
}
