/* Any bytes as a lab file: it is refused or accepted, told why, and nothing is left behind. */
#include "nodes/base/error.h"
#include "sim/lab/lab.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    struct lab *lab = NULL;
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    int error = lab_parse(&lab, "fuzz.yaml", span_make(data, size), NULL, 0);
    if (error == FE_EMEM)
        return 0;
    if ((error == 0) != (lab->problems.n == 0))
        abort(); /* refused without a reason, or accepted with one */
    problems_write(&lab->problems, nowhere);
    lab_free(lab);
    return 0;
}
