/* An extension of freeDiameter that knows the commands of S6a and S13 (TS 29.272 7.2), S6c and SGd (TS 29.338 5.3.2, 6.3.2),
 * sends the requests of a script and prints what comes back: each answer as freeDiameter's dictionary reads it, and whether it keeps to the grammar.
 *
 * LoadExtension = "client.fdx" : "SCRIPT OUTPUT";
 *
 * The script, line by line:
 *   peer NAME            wait until the connection to the peer is open
 *   wait SECONDS         do nothing
 *   await                wait for a request of the peer (which is answered with success)
 *   COMMAND              begin a request, by its name in the dictionary; Session-Id and Origin-* come by themselves
 *   AVP VALUE            add an AVP; octets that are no text as 0x...
 *   AVP {     and     }  begin and end a grouped AVP
 *   send                 send it and wait for the answer
 * At its end the daemon shuts down, with a Disconnect-Peer-Request to each peer.
 */

#include <freeDiameter/extension.h>
#include <ctype.h>
#include <semaphore.h>
#include <stdio.h>

#define VENDOR_3GPP 10415
#define PATIENCE 60
#define DEEPEST 8

static char script_path[1024], output_path[1024];
static FILE *output;
static pthread_t reader;
static sem_t answered, asked;

/* -- the dictionary */

struct command {
	uint32_t application, code;
	const char *request, *answer, *in_answer;
};

static const struct command commands[] = {
	{16777251, 316, "Update-Location-Request", "Update-Location-Answer", "Subscription-Data"},
	{16777251, 317, "Cancel-Location-Request", "Cancel-Location-Answer", NULL},
	{16777251, 318, "Authentication-Information-Request", "Authentication-Information-Answer", "Authentication-Info"},
	{16777251, 319, "Insert-Subscriber-Data-Request", "Insert-Subscriber-Data-Answer", NULL},
	{16777251, 321, "Purge-UE-Request", "Purge-UE-Answer", NULL},
	{16777251, 323, "Notify-Request", "Notify-Answer", NULL},
	{16777252, 324, "ME-Identity-Check-Request", "ME-Identity-Check-Answer", "Equipment-Status"},
	{16777312, 8388647, "Send-Routing-Info-for-SM-Request", "Send-Routing-Info-for-SM-Answer", "Serving-Node"},
	/* SGd has it as well: freeDiameter knows commands by their code alone */
	{16777312, 8388648, "Alert-Service-Centre-Request", "Alert-Service-Centre-Answer", NULL},
	{16777312, 8388649, "Report-SM-Delivery-Status-Request", "Report-SM-Delivery-Status-Answer", NULL},
	{16777313, 8388645, "MO-Forward-Short-Message-Request", "MO-Forward-Short-Message-Answer", "SM-RP-UI"},
	{16777313, 8388646, "MT-Forward-Short-Message-Request", "MT-Forward-Short-Message-Answer", "SM-RP-UI"},
	/* of no specification: how is a command answered that nobody knows? */
	{16777251, 8388600, "Unknown-Request", "Unknown-Answer", NULL},
};

static struct dict_object *find(enum dict_object_type type, int criteria, const void *what)
{
	struct dict_object *found = NULL;
	if (fd_dict_search(fd_g_config->cnf_dict, type, criteria, what, &found, ENOENT))
		fprintf(stderr, "client: not in the dictionary: %s\n", criteria == VENDOR_BY_ID ? "vendor" : (const char *)what);
	return found;
}

static struct dict_object *avp_model(const char *name)
{
	return find(DICT_AVP, AVP_BY_NAME_ALL_VENDORS, name);
}

static int rule(struct dict_object *parent, const char *avp, enum rule_position position, int max)
{
	struct dict_rule_data data = {avp_model(avp), position, 1, -1, max};
	CHECK_PARAMS(data.rule_avp);
	return fd_dict_new(fd_g_config->cnf_dict, DICT_RULE, &data, parent, NULL);
}

static int define(const struct command *command, struct dict_object *application)
{
	struct dictionary *dict = fd_g_config->cnf_dict;
	struct dict_object *request, *answer;
	uint8_t mask = CMD_FLAG_REQUEST | CMD_FLAG_PROXIABLE;
	struct dict_cmd_data data = {command->code, (char *)command->request, mask, mask};
	CHECK_FCT(fd_dict_new(dict, DICT_COMMAND, &data, application, &request));
	data.cmd_name = (char *)command->answer;
	data.cmd_flag_val = CMD_FLAG_PROXIABLE;
	CHECK_FCT(fd_dict_new(dict, DICT_COMMAND, &data, application, &answer));
	CHECK_FCT(rule(request, "Session-Id", RULE_FIXED_HEAD, 1));
	CHECK_FCT(rule(request, "Destination-Realm", RULE_REQUIRED, 1));
	CHECK_FCT(rule(answer, "Session-Id", RULE_FIXED_HEAD, 1));
	CHECK_FCT(rule(answer, "Result-Code", RULE_OPTIONAL, 1));
	CHECK_FCT(rule(answer, "Experimental-Result", RULE_OPTIONAL, 1));
	CHECK_FCT(rule(answer, "Auth-Session-State", RULE_REQUIRED, 1));
	CHECK_FCT(rule(answer, "Origin-Host", RULE_REQUIRED, 1));
	CHECK_FCT(rule(answer, "Origin-Realm", RULE_REQUIRED, 1));
	if (command->in_answer)
		CHECK_FCT(rule(answer, command->in_answer, RULE_OPTIONAL, 1));
	return 0;
}

static int define_all(void)
{
	static const struct dict_application_data data[] = {
		{16777251, "3GPP S6a"}, {16777252, "3GPP S13"}, {16777312, "3GPP S6c"}, {16777313, "3GPP SGd"}};
	vendor_id_t id = VENDOR_3GPP;
	struct dict_object *vendor = find(DICT_VENDOR, VENDOR_BY_ID, &id), *application;
	for (size_t each = 0; each < sizeof data / sizeof *data; each++) {
		CHECK_FCT(fd_dict_new(fd_g_config->cnf_dict, DICT_APPLICATION, (void *)&data[each], vendor, &application));
		for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
			if (commands[i].application == data[each].application_id)
				CHECK_FCT(define(&commands[i], application));
		CHECK_FCT(fd_disp_app_support(application, vendor, 1, 0));
	}
	return 0;
}

/* -- printing */

static void print_octets(const uint8_t *data, size_t length)
{
	int text = length > 0;
	for (size_t i = 0; i < length; i++)
		text = text && isprint(data[i]);
	if (text) {
		fprintf(output, " %.*s", (int)length, (const char *)data);
		return;
	}
	fputs(" 0x", output);
	for (size_t i = 0; i < length; i++)
		fprintf(output, "%02x", data[i]);
}

static void print_avp(struct avp *avp, int depth)
{
	struct dict_object *model = NULL;
	struct dict_avp_data data;
	struct avp_hdr *header;
	fd_msg_avp_hdr(avp, &header);
	if (fd_msg_model(avp, &model) || !model || fd_dict_getval(model, &data)) {
		fprintf(output, "%*sunknown %u of vendor %u\n", depth, "", header->avp_code, header->avp_vendor);
		return;
	}
	fprintf(output, "%*s%s", depth, "", data.avp_name);
	if (data.avp_basetype == AVP_TYPE_OCTETSTRING)
		print_octets(header->avp_value->os.data, header->avp_value->os.len);
	else if (data.avp_basetype == AVP_TYPE_UNSIGNED64 || data.avp_basetype == AVP_TYPE_INTEGER64)
		fprintf(output, " %llu", (unsigned long long)header->avp_value->u64);
	else if (data.avp_basetype != AVP_TYPE_GROUPED)
		fprintf(output, " %u", header->avp_value->u32);
	fputc('\n', output);
}

static void print_message(struct msg *message)
{
	struct fd_pei wrong = {0};
	struct dict_object *model = NULL;
	struct dict_cmd_data data = {.cmd_name = "unknown"};
	struct msg_hdr *header;
	msg_or_avp *each = NULL;
	int depth = 0, bad = fd_msg_parse_dict(message, fd_g_config->cnf_dict, &wrong);
	if (!bad)
		bad = fd_msg_parse_rules(message, fd_g_config->cnf_dict, &wrong);
	fd_msg_hdr(message, &header);
	if (!fd_msg_model(message, &model) && model)
		fd_dict_getval(model, &data);
	fprintf(output, "%s flags=%02x grammar=%s%s%s\n", data.cmd_name, header->msg_flags, bad ? wrong.pei_errcode : "ok",
		bad && wrong.pei_message ? ": " : "", bad && wrong.pei_message ? wrong.pei_message : "");
	fd_msg_browse_internal(message, MSG_BRW_FIRST_CHILD, &each, &depth);
	while (each) {
		print_avp(each, depth + 1);
		msg_or_avp *next = NULL;
		fd_msg_browse_internal(each, MSG_BRW_WALK, &next, &depth);
		each = next;
	}
	fputs(".\n", output);
	fflush(output);
}

/* -- asking */

static void on_answer(void *unused, struct msg **message)
{
	(void)unused;
	print_message(*message);
	fd_msg_free(*message);
	*message = NULL;
	sem_post(&answered);
}

static int on_request(struct msg **message, struct avp *avp, struct session *session, void *unused, enum disp_action *action)
{
	struct avp *state;
	union avp_value no_state = {.i32 = 1};
	struct msg_hdr *header;
	(void)avp, (void)session, (void)unused;
	fd_msg_hdr(*message, &header);
	if (!(header->msg_flags & CMD_FLAG_REQUEST))
		return 0;
	print_message(*message);
	CHECK_FCT(fd_msg_new_answer_from_req(fd_g_config->cnf_dict, message, 0));
	CHECK_FCT(fd_msg_rescode_set(*message, "DIAMETER_SUCCESS", NULL, NULL, 1));
	CHECK_FCT(fd_msg_avp_new(avp_model("Auth-Session-State"), 0, &state));
	CHECK_FCT(fd_msg_avp_setvalue(state, &no_state));
	CHECK_FCT(fd_msg_avp_add(*message, MSG_BRW_LAST_CHILD, state));
	*action = DISP_ACT_SEND;
	sem_post(&asked);
	return 0;
}

static int wait_for(sem_t *what)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE;
	return sem_timedwait(what, &until);
}

static int wait_for_peer(const char *name)
{
	struct peer_hdr *peer = NULL;
	for (int i = 0; i < PATIENCE * 50; i++) {
		if (!fd_peer_getbyid((DiamId_t)name, strlen(name), 0, &peer) && peer && fd_peer_get_state(peer) == STATE_OPEN)
			return 0;
		usleep(20000);
	}
	return ETIMEDOUT;
}

static struct msg *begin(const char *name)
{
	struct msg *message = NULL;
	struct dict_object *model = find(DICT_COMMAND, CMD_BY_NAME, name);
	if (!model || fd_msg_new(model, MSGFL_ALLOC_ETEID, &message))
		return NULL;
	if (fd_msg_new_session(message, NULL, 0) || fd_msg_add_origin(message, 0))
		return NULL;
	return message;
}

static int set(struct avp *avp, enum dict_avp_basetype type, char *text)
{
	union avp_value value = {0};
	uint8_t octets[512];
	if (type != AVP_TYPE_OCTETSTRING)
		value.u64 = strtoull(text, NULL, 0);
	else if (strncmp(text, "0x", 2)) {
		value.os.data = (uint8_t *)text;
		value.os.len = strlen(text);
	} else {
		value.os.data = octets;
		for (char *hex = text + 2; hex[0] && hex[1] && value.os.len < sizeof octets; hex += 2)
			sscanf(hex, "%2hhx", &octets[value.os.len++]);
	}
	return fd_msg_avp_setvalue(avp, &value);
}

static int add(msg_or_avp *parent, const char *name, char *text, struct avp **made)
{
	struct dict_avp_data data;
	struct dict_object *model = avp_model(name);
	CHECK_PARAMS(model);
	CHECK_FCT(fd_dict_getval(model, &data));
	CHECK_FCT(fd_msg_avp_new(model, 0, made));
	if (data.avp_basetype != AVP_TYPE_GROUPED)
		CHECK_FCT(set(*made, data.avp_basetype, text));
	return fd_msg_avp_add(parent, MSG_BRW_LAST_CHILD, *made);
}

/* Carry out one line; `open` are the message and its groups that are being made. */
static int carry_out(char *name, char *rest, msg_or_avp **open, int *depth)
{
	struct avp *avp = NULL;
	struct msg *message;
	if (!strcmp(name, "peer"))
		return wait_for_peer(rest);
	if (!strcmp(name, "wait"))
		return sleep(atoi(rest)) != 0;
	if (!strcmp(name, "await"))
		return wait_for(&asked);
	if (!strcmp(name, "}"))
		return --*depth < 0;
	if (!strcmp(name, "send")) {
		message = open[0];
		open[0] = NULL;
		CHECK_FCT(fd_msg_send(&message, on_answer, NULL));
		return wait_for(&answered);
	}
	if (!open[0]) {
		*depth = 0;
		open[0] = begin(name);
		return open[0] == NULL;
	}
	CHECK_FCT(add(open[*depth], name, rest, &avp));
	if (!strcmp(rest, "{")) {
		if (*depth + 1 >= DEEPEST)
			return E2BIG;
		open[++*depth] = avp;
	}
	return 0;
}

static void *read_script(void *unused)
{
	char line[2048];
	msg_or_avp *open[DEEPEST] = {NULL};
	int depth = 0, number = 0, wrong = 0;
	FILE *script = fopen(script_path, "r");
	(void)unused;
	fd_core_waitstartcomplete();
	while (script && !wrong && fgets(line, sizeof line, script)) {
		char *name = line + strspn(line, " "), *rest;
		number++;
		name[strcspn(name, "\n")] = 0;
		rest = name + strcspn(name, " ");
		if (*rest)
			*rest++ = 0;
		if (*name)
			wrong = carry_out(name, rest, open, &depth);
	}
	fprintf(output, wrong || !script ? "failed at line %d\n" : "done\n", number);
	fflush(output);
	fd_core_shutdown();
	return NULL;
}

static int enter(char *settings)
{
	static const char *handled[] = {"Cancel-Location-Request", "Insert-Subscriber-Data-Request",
		"Alert-Service-Centre-Request", "MT-Forward-Short-Message-Request", "MO-Forward-Short-Message-Request"};
	CHECK_PARAMS(settings && sscanf(settings, "%1023s %1023s", script_path, output_path) == 2);
	output = fopen(output_path, "w");
	CHECK_PARAMS(output);
	CHECK_FCT(define_all());
	for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) {
		struct disp_when when = {.command = find(DICT_COMMAND, CMD_BY_NAME, handled[i])};
		CHECK_FCT(fd_disp_register(on_request, DISP_HOW_CC, &when, NULL, NULL));
	}
	CHECK_SYS(sem_init(&answered, 0, 0));
	CHECK_SYS(sem_init(&asked, 0, 0));
	return pthread_create(&reader, NULL, read_script, NULL);
}

EXTENSION_ENTRY("client", enter, "dict_dcca_3gpp");
