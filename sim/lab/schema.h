/* The JSON Schema of lab files, for editors: made from the tables that the checker reads. */
#ifndef FAREND_LAB_SCHEMA_H
#define FAREND_LAB_SCHEMA_H

#include <stdio.h>

/* 0; FE_EMEM; FE_EOS when it cannot be written. */
int schema_write(FILE *out);

#endif
