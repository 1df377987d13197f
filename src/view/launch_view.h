/*
 * What starting a service would run, as lines that sh(1) takes: `pmo dry-run`.
 *
 *	# web: user www, umask 022
 *	cd /srv/web && env PORT=8000 TOKEN='****' /bin/sh -c 'exec ./server'
 */
#ifndef PMO_VIEW_LAUNCH_VIEW_H
#define PMO_VIEW_LAUNCH_VIEW_H

#include "service/launch.h"
#include "view/style.h"

/* Values from .env and env_file are where secrets live. Hidden, they show as '****', and so does
 * what pmo.yml makes of them by $NAME; other values written in pmo.yml are shown. */
enum launch_secrets { LAUNCH_SECRETS_HIDDEN, LAUNCH_SECRETS_SHOWN };

/* Append the comment and the command of LAUNCH, made by LAUNCHER. The variables are those that
 * .env, env_file and env set, in that order, each once, with the value the service gets. On a
 * terminal, control characters other than newlines are made visible; elsewhere the bytes are what
 * the service would get. Returns how many texts were hidden. */
size_t launch_view_append(const struct launch *launch, const struct launcher *launcher,
			  enum launch_secrets secrets, const struct output *output,
			  struct buffer *buffer);

#endif
