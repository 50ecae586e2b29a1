/*
 * What one setting's type and range can not tell: addresses, and settings that need each other.
 * Private to this layer.
 */
#ifndef APP_CONFIG_CHECK_H
#define APP_CONFIG_CHECK_H

#include "app/config.h"

/* 0, or -EINVAL with ERROR: the setting, its value and what is wanted. */
int config_check(const struct config *config, struct config_error *error);

#endif
