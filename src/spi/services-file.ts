/**
 * Well-known services, in the form of a `services` file but with both protocols in one line: name, port, protocols, aliases. Names
 * and ports are those registered with IANA, and older names that Windows' own file has.
 */

export const WELL_KNOWN_SERVICES = `
echo 7/tcp,udp
discard 9/tcp,udp sink null
systat 11/tcp,udp users
daytime 13/tcp,udp
qotd 17/tcp,udp quote
chargen 19/tcp,udp ttytst source
ftp-data 20/tcp
ftp 21/tcp
ssh 22/tcp
telnet 23/tcp
smtp 25/tcp mail
time 37/tcp,udp timserver
rlp 39/udp resource
nameserver 42/tcp,udp name
nicname 43/tcp whois
domain 53/tcp,udp
bootps 67/udp dhcps
bootpc 68/udp dhcpc
tftp 69/udp
gopher 70/tcp
finger 79/tcp
http 80/tcp www www-http
hosts2-ns 81/tcp
kerberos 88/tcp,udp krb5 kerberos-sec
hostname 101/tcp hostnames
iso-tsap 102/tcp
rtelnet 107/tcp
pop2 109/tcp postoffice
pop3 110/tcp
sunrpc 111/tcp,udp rpcbind portmap
auth 113/tcp ident tap
uucp-path 117/tcp
sqlserv 118/tcp
nntp 119/tcp usenet
ntp 123/udp
epmap 135/tcp,udp loc-srv
netbios-ns 137/tcp,udp nbname
netbios-dgm 138/udp nbdatagram
netbios-ssn 139/tcp nbsession
imap 143/tcp imap4
sql-net 150/tcp
sqlsrv 156/tcp
pcmail-srv 158/tcp
snmp 161/udp
snmptrap 162/udp snmp-trap
print-srv 170/tcp
bgp 179/tcp
irc 194/tcp
ipx 213/udp
ptp-event 319/udp
ptp-general 320/udp
rtsps 322/tcp,udp
mftp 349/tcp,udp
ldap 389/tcp
svrloc 427/tcp,udp
https 443/tcp,udp MCom
microsoft-ds 445/tcp,udp
kpasswd 464/tcp,udp
submissions 465/tcp
isakmp 500/udp ike
crs 507/tcp,udp
exec 512/tcp
biff 512/udp comsat
login 513/tcp
who 513/udp whod
cmd 514/tcp shell
syslog 514/udp
printer 515/tcp
talk 517/udp
ntalk 518/udp
efs 520/tcp
router 520/udp route routed
ripng 521/udp
ulp 522/tcp,udp
timed 525/udp timeserver
tempo 526/tcp newdate
irc-serv 529/tcp,udp
courier 530/tcp rpc
conference 531/tcp chat
netnews 532/tcp readnews
netwall 533/udp
uucp 540/tcp uucpd
klogin 543/tcp
kshell 544/tcp krcmd
dhcpv6-client 546/tcp,udp
dhcpv6-server 547/tcp,udp
afpovertcp 548/tcp,udp
new-rwho 550/udp new-who
rtsp 554/tcp,udp
remotefs 556/tcp rfs rfs_server
rmonitor 560/udp rmonitord
monitor 561/udp
nntps 563/tcp,udp snntp
whoami 565/tcp,udp
ms-shuttle 568/tcp,udp
ms-rome 569/tcp,udp
submission 587/tcp
http-rpc-epmap 593/tcp,udp
hmmp-ind 612/tcp,udp
hmmp-op 613/tcp,udp
ipp 631/tcp,udp
ldaps 636/tcp sldap
doom 666/tcp,udp
msexch-routing 691/tcp,udp
kerberos-adm 749/tcp,udp
kerberos-iv 750/udp
domain-s 853/tcp,udp
iscsi 860/tcp
rsync 873/tcp
ftps-data 989/tcp
ftps 990/tcp
telnets 992/tcp
imaps 993/tcp
ircs 994/tcp,udp
pop3s 995/tcp spop3
kpop 1109/tcp
nfsd-status 1110/tcp
openvpn 1194/tcp,udp
socks 1080/tcp,udp
ms-sql-s 1433/tcp,udp
ms-sql-m 1434/tcp,udp
ms-sna-server 1477/tcp,udp
ms-sna-base 1478/tcp,udp
wins 1512/tcp,udp
ingreslock 1524/tcp ingres
stt 1607/tcp,udp
l2tp 1701/udp
pptconference 1711/tcp,udp
pptp 1723/tcp
msiccp 1731/tcp,udp
remote-winsock 1745/tcp,udp
ms-streaming 1755/tcp,udp
msmq 1801/tcp,udp
radius 1812/tcp,udp
radacct 1813/tcp,udp radius-acct
mqtt 1883/tcp,udp
msnp 1863/tcp,udp
ssdp 1900/tcp,udp
nfs 2049/tcp,udp nfsd
knetd 2053/tcp
dlsrpn 2065/tcp,udp
gnunet 2086/tcp,udp
docker 2375/tcp
docker-s 2376/tcp
ms-olap1 2393/tcp,udp
mysql 3306/tcp
ttat3lb 3579/tcp
ms-wbt-server 3389/tcp,udp rdp
stun 3478/tcp,udp turn
nut 3493/tcp,udp
svn 3690/tcp,udp
epmd 4369/tcp,udp
ipsec-nat-t 4500/udp ipsec-msft
upnp-discovery 5000/tcp
iperf2 5001/tcp,udp
iperf3 5201/tcp,udp
sip 5060/tcp,udp
sips 5061/tcp,udp sip-tls
mmcc 5050/tcp,udp
xmpp-client 5222/tcp
xmpp-server 5269/tcp
mdns 5353/udp
llmnr 5355/tcp,udp
postgresql 5432/tcp postgres
amqps 5671/tcp
amqp 5672/tcp
stuns 5349/tcp,udp turns
vnc-server 5900/tcp,udp rfb
wsman 5985/tcp winrm
wsmans 5986/tcp winrm-ssl
x11 6000/tcp
redis 6379/tcp
ircu 6667/tcp
http-alt 8080/tcp webcache
mqtts 8883/tcp secure-mqtt
git 9418/tcp
ms-do 7680/tcp,udp
man 9535/tcp
sd 9876/tcp,udp
dicom 11112/tcp
memcache 11211/tcp,udp memcached
mongodb 27017/tcp
`;

/** Protocols of IP by name and number, with their other names: a `protocol` file. */
export const WELL_KNOWN_PROTOCOLS = `
ip 0 IP
icmp 1 ICMP
igmp 2 IGMP
ggp 3 GGP
ipv4 4 IPv4 ipencap
st 5 ST
tcp 6 TCP
cbt 7 CBT
egp 8 EGP
igp 9 IGP
pup 12 PUP
udp 17 UDP
hmp 20 HMP
xns-idp 22 XNS-IDP
rdp 27 RDP
dccp 33 DCCP
ipv6 41 IPv6
ipv6-route 43 IPv6-Route
ipv6-frag 44 IPv6-Frag
rsvp 46 RSVP
gre 47 GRE
esp 50 ESP
ah 51 AH
ipv6-icmp 58 IPv6-ICMP
ipv6-nonxt 59 IPv6-NoNxt
ipv6-opts 60 IPv6-Opts
rvd 66 RVD
eigrp 88 EIGRP
ospf 89 OSPFIGP
ipip 94 IPIP
etherip 97 ETHERIP
encap 98 ENCAP
pim 103 PIM
ipcomp 108 IPComp
pgm 113 PGM
vrrp 112 VRRP
l2tp 115 L2TP
isis 124 ISIS
sctp 132 SCTP
fc 133 FC
udplite 136 UDPLite
mpls-in-ip 137 MPLS-in-IP
hip 139 HIP
shim6 140 Shim6
raw 255 RAW
`;
