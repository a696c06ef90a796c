"""Names that the shipped lists must stop, and names beside them that must pass, each with where it stands in public.

The table was written from that documentation before the lists were, and is no copy of them.
"""

from __future__ import annotations

import pytest

from simwarden.policy.app_blacklist_file import shipped_lists

_PAY = "https://pay.weixin.qq.com/wiki/doc/api/wxpay/en/guide/pos/BusinessConnectivity.shtml?index=0"
_PAY_NAMES = "https://developers.weixin.qq.com/community/develop/doc/0004e4294fce309d6ddf47a7556800"
_PLATFORM = "https://developers.weixin.qq.com/doc/service/en/Basic_Information/Interface_field_description.html"
_RTC = "https://cloud.tencent.com/document/faq/647/34399"
_WECHAT = "https://blog.csdn.net/qq2613/article/details/23759773"
_VIP = "https://blog.csdn.net/Merissa_/article/details/134057234"
_JD = "https://github.com/espressif/esp-joylink/blob/fdb57be5591ed5bc4225b4e40a350f6e52efde17/components/port/extern/joylink_extern.c"
_WECOM = "https://pypi.org/project/wwr-api/0.0.2/"
_DOMAINS = "https://github.com/v2fly/domain-list-community/tree/c975ccef9c19f005a3bfa7a33255d1b406deea64/data"
_RULES = "https://github.com/blackmatrix7/ios_rule_script/blob/01b6159bb41396c3d2ce8529ceb1fb96e457c2f4/rule/Clash"
_WECHAT_RULES, _DOUYIN_RULES = f"{_RULES}/WeChat/WeChat.list", f"{_RULES}/DouYin/DouYin.list"
_TAOBAO = "https://cnblogs.com/hucheng1997/p/11028247.html"


@pytest.mark.parametrize(
    ("name", "app", "source"),
    [
        ("short.weixin.qq.com", "wechat", _WECHAT),
        ("szlong.weixin.qq.com", "wechat", _WECHAT),
        ("dns.weixin.qq.com", "wechat", _WECHAT),
        ("mmsns.qpic.cn", "wechat", _WECHAT),
        ("wx.qlogo.cn", "wechat", _WECHAT),
        ("wx.qq.com", "wechat", "https://wx.qq.com"),
        ("mmbiz.qpic.cn", "wechat", _WECHAT_RULES),
        ("res.wxapp.tc.qq.com", "wechat", _WECHAT_RULES),
        ("xhslink.com", "xiaohongshu", _DOMAINS),
        ("graph.facebook.com", "facebook", _DOMAINS),
        ("api.x.com", "x", _DOMAINS),
        ("line.me", "line", _DOMAINS),
        ("gateway.discord.gg", "discord", _DOMAINS),
        ("aweme.snssdk.com", "douyin", _DOUYIN_RULES),
        ("p3.pstatp.com", "douyin", _DOUYIN_RULES),
        ("www.toutiao.com", "toutiao", _DOMAINS),
        ("www.le.com", "letv", _DOMAINS),
        ("www.pptv.com", "pptv", _DOMAINS),
        ("www.migu.cn", "migu", _DOMAINS),
        ("tv.cctv.com", "cctv", _DOMAINS),
        ("detail.1688.com", "alibaba", _DOMAINS),
        ("www.alibaba.com", "alibaba", _DOMAINS),
        ("www.goofish.com", "goofish", _DOMAINS),
        ("www.amazon.cn", "amazon-cn", _DOMAINS),
        ("i.meituan.com", "meituan", _DOMAINS),
        ("m.dianping.com", "meituan", _DOMAINS),
        ("h5.ele.me", "eleme", _DOMAINS),
        ("pvp.qq.com", "honor-of-kings", "https://pvp.qq.com"),
        ("api.hoyoverse.com", "mihoyo", _DOMAINS),
        ("www.taptap.cn", "taptap", _DOMAINS),
        ("store.epicgames.com", "epic-games", _DOMAINS),
        ("www.roblox.com", "roblox", _DOMAINS),
        ("supercell.com", "supercell", _DOMAINS),
        ("mp.weixin.qq.com", "wechat", _PAY_NAMES),
        ("im.qq.com", "qq", "https://im.qq.com/pcqq"),
        ("msfwifi.3g.qq.com", "qq", "https://github.com/takayama-lily/oicq"),
        ("thirdqq.qlogo.cn", "wechat", "https://wiki.connect.qq.com/用户基本信息中的用户头像url域名变更通知"),
        ("user.qzone.qq.com", "qq", "https://qzone.qq.com"),
        ("weibo.com", "weibo", "http://ir.weibo.com/node/8511/html"),
        ("m.weibo.cn", "weibo", "https://m.weibo.cn"),
        ("www.douyin.com", "douyin", "https://www.douyin.com"),
        ("v26-dy.douyinvod.com", "douyin", "https://www.douyin.com"),
        ("www.kuaishou.com", "kuaishou", "https://www.kuaishou.com"),
        ("api.gifshow.com", "kuaishou", "https://www.kuaishou.com"),
        ("v.youku.com", "youku", "https://www.youku.com"),
        ("www.iqiyi.com", "iqiyi", "https://www.iqiyi.com"),
        ("v.qq.com", "tencent-video", "https://v.qq.com"),
        ("pbaccess.video.qq.com", "tencent-video", "https://v.qq.com"),
        ("item.taobao.com", "taobao", "https://www.taobao.com"),
        ("detail.tmall.com", "taobao", "https://www.tmall.com"),
        ("item.jd.com", "jd", "https://www.jd.com"),
        ("img13.360buyimg.com", "jd", "https://www.jd.com"),
        ("gw.smart.jd.com", "jd", "https://www.jd.com"),
        ("detail.vip.com", "vipshop", _VIP),
        ("a.vpimg3.com", "vipshop", _VIP),
        ("mapi.appvipshop.com", "vipshop", "https://github.com/FireLv/Quanx_Rules/blob/main/VipshopAd.conf"),
        ("qqgame.qq.com", "qq-games", "https://qqgame.qq.com/app/gamedetail_10985.shtml"),
        ("WWW.QQGAME.QQ.COM.", "qq-games", "https://qqgame.qq.com/app/gamedetail_10985.shtml"),
    ],
)
def test_an_app_of_people_is_stopped_by_its_names(name: str, app: str, source: str) -> None:
    found = shipped_lists().of().by_name(name)
    assert found is not None, source
    assert (found.denied, found.who) == (True, app)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        # a payment terminal pays through the apps' houses
        ("api.mch.weixin.qq.com", _PAY),
        ("apihk.mch.weixin.qq.com", _PAY),
        ("api2.mch.weixin.qq.com", _PAY_NAMES),
        ("fraud.mch.weixin.qq.com", _PAY_NAMES),
        ("payapp.weixin.qq.com", _PAY_NAMES),
        ("action.weixin.qq.com", _PAY_NAMES),
        ("pay.weixin.qq.com", _PAY_NAMES),
        ("wx.tenpay.com", "https://developers.weixin.qq.com/community/develop/doc/000602884045a8fb69d174db06b000"),
        ("openapi.alipay.com", "https://developer.aliyun.com/article/308823"),
        # platforms that answer machines
        ("api.weixin.qq.com", _PLATFORM),
        ("sh.api.weixin.qq.com", _PLATFORM),
        ("live.smart.jd.com", _JD),
        # back ends of devices, at the clouds of the same houses
        ("1A17RZR3XX.iotcloud.tencentdevices.com", "https://tencentcloud.com/zh/document/product/1105/41824"),
        ("iotcloud.tencentcloudapi.com", "https://tencentcloud.com/zh/document/product/1105/47610"),
        ("a1b2c3d4e5f.iot-as-mqtt.cn-shanghai.aliyuncs.com", "https://www.alibabacloud.com/help/doc-detail/73742.htm"),
        ("cn-hangzhou.log.aliyuncs.com", "https://help.aliyun.com/en/document_detail/2873220.html"),
        ("yun.tim.qq.com", _RTC),
        ("cloud.tim.qq.com", _RTC),
        ("dldir1.qq.com", _RTC),
        ("gz.file.myqcloud.com", _RTC),
        ("query.tencent-cloud.com", _RTC),
        ("qcloud.rtc.qq.com", "https://tencentcloud.com/jp/document/product/607/35232"),
        ("openmsf.3g.qq.com", "https://tencentcloud.com/jp/document/product/607/35232"),
        ("rtc-access-src.zijieapi.com", "https://volcengine.com/docs/6348/146420"),
        # a tracker asks for its place, a recorder mails an alarm
        ("apis.map.qq.com", "https://lbs.qq.com/service/webService/webServiceGuide/miniprogram"),
        ("smtp.163.com", "https://mail.163.com"),
        ("smtp.qq.com", "https://koishi.chat/en-US/plugins/adapter/mail"),
        # shared suffixes themselves, and names that only look alike
        ("img.alicdn.com", "https://github.com/v2fly/domain-list-community"),
        ("qq.com", "https://www.qq.com"),
        ("www.example.net", "RFC 2606 3"),
        ("weixin.qq.com.example.net", "RFC 2606 3"),
        ("notweixin.qq.com", "no label of weixin.qq.com"),
        ("myjd.com", "no label of jd.com"),
        ("vip.com.example", "RFC 2606 2"),
    ],
)
def test_what_devices_need_passes_beside_them(name: str, source: str) -> None:
    found = shipped_lists().of().by_name(name)
    assert found is None or not found.denied, source


@pytest.mark.parametrize(
    ("name", "source", "use", "other"),
    [
        ("qyapi.weixin.qq.com", _WECOM, "elevator-alarm", "smart-metering"),
        ("qyapi.weixin.qq.com", _WECOM, "public-safety", ""),
        ("eco.taobao.com", _TAOBAO, "warehouse-handheld", "elevator-alarm"),
        ("gw.api.taobao.com", _TAOBAO, "payment-terminal", "smart-metering"),
    ],
)
def test_what_some_uses_need_passes_for_these_alone(name: str, source: str, use: str, other: str) -> None:
    of_use, of_other = shipped_lists().of(use).by_name(name), shipped_lists().of(other).by_name(name)
    assert of_use is not None, source
    assert not of_use.denied
    assert of_other is not None
    assert of_other.denied


@pytest.mark.parametrize(
    ("address", "denied", "source"),
    [
        ("149.154.167.51", True, "https://core.telegram.org/resources/cidr.txt"),
        ("91.108.56.130", True, "https://core.telegram.org/resources/cidr.txt"),
        ("2001:67c:4e8:f002::a", True, "https://core.telegram.org/resources/cidr.txt"),
        ("64:ff9b::959a:a733", True, "the first of these behind NAT64 (RFC 6052 2.1)"),
        ("::ffff:149.154.167.51", True, "the first of these, mapped (RFC 4291 2.5.5.2)"),
        ("192.0.2.10", False, "RFC 5737"),
        ("2001:db8::1", False, "RFC 3849"),
        ("64:ff9b::c000:20a", False, "RFC 5737 behind NAT64"),
        # a list of iQIYI in public has 101.224.0.0/13, which is half a city's access network
        (
            "101.226.103.10",
            False,
            "https://developers.weixin.qq.com/community/develop/doc/000ce20fd98d6813eae276a2566400",
        ),
    ],
)
def test_an_address_is_stopped_where_an_app_tells_its_own(address: str, denied: bool, source: str) -> None:  # noqa: FBT001
    from ipaddress import ip_address

    found = shipped_lists().of().by_address(ip_address(address).packed)
    assert (found is not None and found.denied) is denied, source


def test_each_app_that_the_guideline_names_is_listed_in_its_category() -> None:
    named = {
        "social": {"微信", "QQ", "微博"},
        "video": {"抖音", "快手", "优酷", "爱奇艺", "腾讯视频"},
        "shopping": {"淘宝", "京东", "唯品会"},
        "games": {"QQ游戏"},
    }
    for category, titles in named.items():
        assert titles <= {each.title_zh for each in shipped_lists().apps if each.category == category}
