/* The section `certificates` of a lab file: roots, and what was issued by them. A node's setting names one; it is made
 * then, from the lab's seed and its name, so that another certificate more in a lab changes none of the others.
 *
 *     certificates:
 *       roots:
 *         public-ca:   {}
 *         phone-maker: {key: rsa}
 *       issued:
 *         sbc:   {by: public-ca, intermediate: yes, names: [sbc.example.com, 203.0.113.10], from: -10d, valid: 90d}
 *         alice: {by: phone-maker, subject: 08000F123456}
 *
 * All memory is the lab's arena but the keys, which lab_certificates_free() frees. */
#ifndef FAREND_LAB_LAB_CERTIFICATE_H
#define FAREND_LAB_LAB_CERTIFICATE_H

#include "nodes/base/option.h"
#include "sim/lab/doc.h"
#include "sim/lab/form.h"

struct lab;
struct lab_certificates;

extern const struct field lab_certificates_form[]; /* the section */
extern const struct field lab_root_form[];         /* a root */
extern const struct field lab_issued_form[];       /* an issued certificate */

/* Reads the section and checks all that can be known before a certificate is made; NULL: there is none. 0 or FE_EMEM;
 * what is wrong is a problem of the lab. */
int lab_read_certificates(struct lab *lab, const struct doc *section);
void lab_certificates_free(struct lab_certificates *c); /* NULL is fine */

/* The value of setting `o`, which names one certificate, a list of them or "none", as the text that the node gets; NULL
 * without memory. After a problem it is some text. */
const char *lab_certificate_text(struct lab *lab, const struct option *o, const struct doc *value);

#endif
