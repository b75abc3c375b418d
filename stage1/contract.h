/*
 * The contract between stage0 (runner/) and any stage1 flavour: the only header of stage1/ the
 * runner may see. doc/stage1-contract.md says the same in prose, with the reasons.
 *
 * Stage0 has made the pod directory and all mounts of the pod in a private mount namespace, changed
 * into the pod directory and execs
 *
 *	stage1/init [--debug] [--interactive] [--net=none|host] [--hostname=NAME] UUID
 *
 * with the environment of its caller plus RKT_LOCK_FD. What stage1 finds (all relative to the cwd):
 *
 *	container			the pod manifest (appc PodManifest)
 *	stage1/				the stage1 image's tree, writable, this pod's own
 *	stage1/opt/stage2/<DIR>/manifest	the image manifest of each app
 *	stage1/opt/stage2/<DIR>/rootfs	its root, writable: stage1 makes the mount points it lacks
 *					and then makes it read-only for readOnlyRootFS
 *	status/				where stage1 writes one file an app: its exit status
 *	log/				room for the apps' output
 *
 * What stage1 must do: write `pid` (the pod's first process, in decimal, as the host sees it, and a
 * newline; whole, by rename) before the first app starts; keep RKT_LOCK_FD open, close-on-exec,
 * until the pod has ended (the held lock is what "running" means); run the apps; write status/<app
 * name> (decimal exit status and a newline; 128+n when killed by signal n) as each ends; take the
 * whole pod down when it dies itself, however it dies; exit with the status of the first app that
 * failed, else 0, or 254 when it could not do its job, with one line on stderr.
 */
#pragma once

#define STAGE1_INTERFACE_VERSION 1

/* Relative to the pod directory. */
#define STAGE1_INIT         "stage1/init"
#define STAGE1_POD_MANIFEST "container"
#define STAGE1_STAGE2       "stage1/opt/stage2"
#define STAGE1_STATUS       "status"
#define STAGE1_LOG          "log"
#define STAGE1_PID          "pid"
#define STAGE1_VOLUMES      "volumes" /* made by stage1: the pod's empty volumes */

/* Below STAGE1_STAGE2: an image used once in the pod has its ID as directory name; its second,
 * third, ... use, in the order of the pod manifest's apps, ".2", ".3", ... behind it. */
#define STAGE1_APP_DIR_FORMAT        "%s"
#define STAGE1_APP_DIR_REPEAT_FORMAT "%s.%u"

/* Names of apps become names of files, and of drafts of these with a dot before and ".new" behind. */
#define STAGE1_APP_NAME_MAX 250

/* The number of the descriptor that holds the lock on the pod directory. */
#define STAGE1_LOCK_FD_ENV "RKT_LOCK_FD"

/* Our own failure, so that every status of an app passes through (as rkt). */
#define STAGE1_EXIT_FAILED 254

/* Annotations of a stage1 image: its entry points and what it speaks. */
#define STAGE1_ANNOTATION_VERSION "rocket/stage1/interface-version"
#define STAGE1_ANNOTATION_RUN     "rocket/stage1/run"
