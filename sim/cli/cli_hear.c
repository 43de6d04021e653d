/* `farend hear FILE HZ`: is the tone in this recording? A judge for steps that run other people's phones. */
#define _GNU_SOURCE
#include "nodes/media/wav.h"
#include "sim/cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int file_read(const char *path, char **text, size_t *n)
{
    FILE *in = fopen(path, "rbe");
    FILE *out = in ? open_memstream(text, n) : NULL;
    char buf[16384];
    size_t got;
    int error = out ? 0 : errno;
    while (out && (got = fread(buf, 1, sizeof buf, in)) > 0)
        fwrite(buf, 1, got, out);
    if (in && ferror(in))
        error = EIO;
    if (in)
        fclose(in);
    if (out && fclose(out) != 0)
        error = errno;
    return error;
}

static int judge(const char *path, struct span file, unsigned hz)
{
    struct wav wav;
    if (wav_parse(file, &wav)) {
        fprintf(stderr, "farend: %s: not a WAVE file of 16-bit samples at 8000 to 48000 Hz\n", path);
        return CLI_WRONG;
    }
    struct wav_heard heard = wav_hear(&wav, hz);
    unsigned long long share = heard.windows ? 100 * heard.with_tone / heard.windows : 0;
    printf("%s: %u Hz is heard in %llu%% of %llu ms\n", path, hz, share, 20ULL * heard.windows);
    return 2 * heard.with_tone > heard.windows ? CLI_HELD : CLI_NOT_HELD;
}

int cli_hear(const struct cli_args *args)
{
    uint64_t hz;
    char *text = NULL;
    size_t n = 0;
    if (span_u64(span_of(args->names[1]), 3950, &hz) || hz < 50 || hz % 50) {
        fprintf(stderr, "farend: \"%s\": expected a frequency in Hz, a multiple of 50 from 50 to 3950\n",
                args->names[1]);
        return CLI_WRONG;
    }
    int error = file_read(args->names[0], &text, &n);
    if (error)
        fprintf(stderr, "farend: %s: %s\n", args->names[0], strerror(error));
    int status = error ? CLI_WRONG : judge(args->names[0], (struct span){text, n}, (unsigned)hz);
    free(text);
    return status;
}
