// The chain of bench_chain.c, for ns-3: the peer that farend's engine is measured against.
//
//     phones (10 ms, 100 Mbit/s) - access router for every `fan` - r1 - ... - r8 (1 ms, 10 Gbit/s) - server
//
// Each phone sends 172 bytes of UDP payload every 20 ms for S seconds, the server sends each back. Real payload bytes,
// static routes, no queue discipline: the cheapest set-up that ns-3 has for this work.
//
//     ns3_voip --M=100 --S=5 --fan=32
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sys/resource.h>
#include <vector>

using namespace ns3;

namespace
{

constexpr uint32_t kRouters = 8;
constexpr uint16_t kPort = 4000;
constexpr uint32_t kPayload = 172;
constexpr uint32_t kStamp = 12; // where the payload carries its time of sending
constexpr int64_t kIntervalNs = 20000000;

struct Totals {
    uint64_t sent = 0, echoed = 0, received = 0;
    int64_t roundTripsNs = 0;
} totals;

class Phone
{
  public:
    void Start(Ptr<Node> node, Ipv4Address server, int64_t firstNs, int64_t untilNs)
    {
        m_until = untilNs;
        m_socket = Socket::CreateSocket(node, UdpSocketFactory::GetTypeId());
        m_socket->Bind(InetSocketAddress(Ipv4Address::GetAny(), kPort));
        m_socket->Connect(InetSocketAddress(server, kPort));
        m_socket->SetRecvCallback(MakeCallback(&Phone::Receive, this));
        std::memset(m_payload, 0x55, sizeof m_payload);
        Simulator::Schedule(NanoSeconds(firstNs), &Phone::Send, this);
    }

  private:
    void Send()
    {
        int64_t now = Simulator::Now().GetNanoSeconds();
        std::memcpy(m_payload + kStamp, &now, sizeof now);
        m_socket->Send(Create<Packet>(m_payload, sizeof m_payload));
        totals.sent++;
        if (now + kIntervalNs < m_until)
            Simulator::Schedule(NanoSeconds(kIntervalNs), &Phone::Send, this);
    }

    void Receive(Ptr<Socket> socket)
    {
        while (Ptr<Packet> packet = socket->Recv()) {
            uint8_t head[kStamp + sizeof(int64_t)];
            int64_t sent;
            packet->CopyData(head, sizeof head);
            std::memcpy(&sent, head + kStamp, sizeof sent);
            totals.received++;
            totals.roundTripsNs += Simulator::Now().GetNanoSeconds() - sent;
        }
    }

    Ptr<Socket> m_socket;
    int64_t m_until = 0;
    uint8_t m_payload[kPayload];
};

void Echo(Ptr<Socket> socket)
{
    Address from;
    while (Ptr<Packet> packet = socket->RecvFrom(from)) {
        packet->RemoveAllPacketTags();
        socket->SendTo(packet, 0, from);
        totals.echoed++;
    }
}

void StartServer(Ptr<Node> node)
{
    Ptr<Socket> socket = Socket::CreateSocket(node, UdpSocketFactory::GetTypeId());
    socket->Bind(InetSocketAddress(Ipv4Address::GetAny(), kPort));
    socket->SetRecvCallback(MakeCallback(&Echo));
}

// ---- the network ----

Ipv4Address At(uint32_t net, uint32_t host)
{
    return Ipv4Address(net + host);
}

uint32_t Attach(Ptr<NetDevice> device, Ipv4Address address)
{
    Ptr<Ipv4> ip = device->GetNode()->GetObject<Ipv4>();
    uint32_t interface = ip->AddInterface(device);
    ip->AddAddress(interface, Ipv4InterfaceAddress(address, Ipv4Mask("255.255.255.252")));
    ip->SetMetric(interface, 1);
    ip->SetUp(interface);
    return interface;
}

Ptr<Ipv4StaticRouting> RoutesOf(Ptr<Node> node)
{
    return Ipv4StaticRoutingHelper().GetStaticRouting(node->GetObject<Ipv4>());
}

struct Link {
    uint32_t left, right; // interfaces
};

Link Connect(const PointToPointHelper &kind, Ptr<Node> left, Ptr<Node> right, uint32_t net)
{
    PointToPointHelper helper = kind;
    NetDeviceContainer devices = helper.Install(left, right);
    return {Attach(devices.Get(0), At(net, 1)), Attach(devices.Get(1), At(net, 2))};
}

// Everything to the server's side goes right, the phones' side goes left.
void ConnectCore(const PointToPointHelper &core, Ptr<Node> left, Ptr<Node> right, uint32_t net, Ipv4Address phones,
                 Ipv4Mask phonesMask)
{
    Link link = Connect(core, left, right, net);
    RoutesOf(left)->AddNetworkRouteTo("172.16.0.0", "255.255.0.0", At(net, 2), link.left);
    RoutesOf(right)->AddNetworkRouteTo(phones, phonesMask, At(net, 1), link.right);
}

PointToPointHelper Kind(const char *rate, const char *delay)
{
    PointToPointHelper helper;
    helper.SetDeviceAttribute("DataRate", StringValue(rate));
    helper.SetChannelAttribute("Delay", StringValue(delay));
    return helper;
}

Ipv4Mask MaskFor(uint32_t addresses)
{
    uint32_t size = 1;
    while (size < addresses)
        size *= 2;
    return Ipv4Mask(~(size - 1));
}

double Seconds()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace

int main(int argc, char **argv)
{
    uint32_t phonesN = 10;
    uint32_t seconds = 30;
    uint32_t fan = 32;
    CommandLine options;
    options.AddValue("M", "phones", phonesN);
    options.AddValue("S", "seconds of sending", seconds);
    options.AddValue("fan", "phones to an access router; 0: all on one", fan);
    options.Parse(argc, argv);
    fan = fan ? fan : phonesN;

    double began = Seconds();
    const uint32_t accessN = (phonesN + fan - 1) / fan;
    const uint32_t phoneNets = 10u << 24, coreNets = (172u << 24) + (16u << 16),
                   accessNets = (172u << 24) + (17u << 16);
    NodeContainer phones(phonesN), access(accessN), routers(kRouters), server(1);
    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    stack.SetRoutingHelper(Ipv4StaticRoutingHelper());
    for (const NodeContainer *nodes : {&phones, &access, &routers, &server})
        stack.Install(*nodes);

    PointToPointHelper accessLink = Kind("100Mbps", "10ms"), coreLink = Kind("10Gbps", "1ms");
    for (uint32_t i = 0; i < phonesN; i++) {
        Link link = Connect(accessLink, phones.Get(i), access.Get(i / fan), phoneNets + 4 * i);
        RoutesOf(phones.Get(i))->SetDefaultRoute(At(phoneNets + 4 * i, 2), link.left);
    }
    for (uint32_t a = 0; a < accessN; a++)
        ConnectCore(coreLink, access.Get(a), routers.Get(0), accessNets + 4 * a, Ipv4Address(phoneNets + 4 * fan * a),
                    MaskFor(4 * fan));
    for (uint32_t r = 0; r < kRouters; r++)
        ConnectCore(coreLink, routers.Get(r), r + 1 < kRouters ? routers.Get(r + 1) : server.Get(0), coreNets + 4 * r,
                    "10.0.0.0", "255.0.0.0");

    const Ipv4Address serverAddress = At(coreNets + 4 * (kRouters - 1), 2);
    StartServer(server.Get(0));
    std::vector<Phone> agents(phonesN);
    for (uint32_t i = 0; i < phonesN; i++)
        agents[i].Start(phones.Get(i), serverAddress, kIntervalNs * i / phonesN, seconds * INT64_C(1000000000));

    double made = Seconds();
    Simulator::Stop(ns3::Seconds(seconds + 1));
    Simulator::Run();
    double took = Seconds() - made;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    uint64_t hops = (totals.echoed + totals.received) * (kRouters + 2);
    std::printf(
        "M=%u S=%u fan=%u hops=%llu hops/s=%.0f setup=%.3fs run=%.3fs meanRTT=%.3fms rss=%.1fMB\n", phonesN, seconds,
        fan, static_cast<unsigned long long>(hops), static_cast<double>(hops) / took, made - began, took,
        totals.received ? static_cast<double>(totals.roundTripsNs) / 1e6 / static_cast<double>(totals.received) : 0.0,
        static_cast<double>(usage.ru_maxrss) / 1024);
    bool right = totals.received == totals.sent;
    Simulator::Destroy();
    return right ? 0 : 1;
}
