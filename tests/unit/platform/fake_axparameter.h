/*
 * Stands for the camera's parameter library, in its own shared object under the real name: the code
 * under test finds it as it finds the real one. Values come from the environment, AX_<name>.
 */
#ifndef FAKE_AXPARAMETER_H
#define FAKE_AXPARAMETER_H

void *ax_parameter_new(const char *app_name, void **error);
int ax_parameter_get(void *parameters, const char *name, char **value, void **error);
void ax_parameter_free(void *parameters);
void g_free(void *text);
void g_error_free(void *error);

/* Things handed out and not yet given back. */
int fake_axparameter_outstanding(void);

#endif
