/*
 * Services that would share files. Part of config.h.
 */
#ifndef PMO_MODEL_CONFIG_CHECK_H
#define PMO_MODEL_CONFIG_CHECK_H

#include "model/config_entry.h"

/* Add a problem for every resolved service whose log files another one writes too, or would rotate
 * away, as far as the paths tell as they are written (service/log_owners.h looks at what they
 * become). State files never collide: NAME.pid and its like differ when the names do, and
 * name_problem refuses the one name that meets a file of pmo itself. */
void config_check_files(struct entry_list *list);

#endif
