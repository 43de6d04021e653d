/* cmocka wants these four before itself; the tests include this instead. */
#ifndef FAREND_TESTS_CMOCKA_H
#define FAREND_TESTS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
